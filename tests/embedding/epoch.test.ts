// epoch.wasm without a JavaScript engine (wasm2c and gcc) gives the bits that Node gives, over random machines and epochs.
import { spawnSync } from "node:child_process";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { epoch, epochModule } from "../epoch/solver.js";
import { ensureDebian } from "../support/debian.js";
import { need } from "../support/need.js";
import { compileHost, PACKAGES } from "./native.js";

const CASES = 400;
const RESULTS = 9;

interface Case {
  readonly sizes: Int32Array;
  /** Host, pools, curves, edges, loads, stages, each with the address in the module's memory. */
  readonly regions: readonly { readonly at: number; readonly numbers: Float64Array }[];
}

/** Deterministic numbers in [0, 1) (a 32-bit linear congruence). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function randomCase(seed: number): Case {
  const random = randomOf(seed);
  const whole = (least: number, most: number) => least + Math.floor(random() * (most - least + 1));
  const some = (least: number, most: number) => least + random() * (most - least);
  const [pools, edges, loads, stages] = [whole(1, 6), whole(0, 5), whole(0, 2), whole(1, 8)];
  const curves: number[] = [];
  const pool = () => {
    const points = whole(0, 8);
    const first = curves.length / 2;
    for (let i = 0; i < points; i++) curves.push(some(4, 6) * (i + 1), some(0, 8) + 10 * i);
    const gbps = [some(20, 80), some(20, 40), some(20, 60)];
    const idle = [some(70, 300), some(70, 300)];
    const family = points > 0 ? [1, 0, first, points] : [0, 0, 0, 0];
    return [...idle, ...gbps, some(0, 60), whole(0, 2 ** edges - 1), ...family, ...new Array(13).fill(0)];
  };
  const stage = () => [
    some(0, 1e5),
    ...Array.from({ length: 4 * pools }, () => (random() < 0.4 ? 0 : whole(0, 50000))),
  ];
  const many = (count: number, one: () => number[]) => Array.from({ length: count }, one).flat();
  const host = [whole(1, 16), 1, some(4, 16), some(8, 40), random() < 0.5 ? 0 : some(1e3, 1e7), 0, 0, 0];
  const poolNumbers = many(pools, pool);
  const region = (at: number, numbers: readonly number[]) => ({ at, numbers: Float64Array.from(numbers) });
  return {
    sizes: Int32Array.of(pools, edges, loads, curves.length / 2, stages),
    regions: [
      region(epoch.hostAt(), host),
      region(epoch.poolsAt(), poolNumbers),
      region(epoch.curvesAt(), curves),
      region(
        epoch.edgesAt(),
        many(edges, () => [some(5, 50), some(20, 60)]),
      ),
      region(
        epoch.loadsAt(),
        many(loads, () => [whole(0, pools - 1), some(0, 10), some(0, 10), whole(0, 2 ** edges - 1)]),
      ),
      region(epoch.stagesAt(), many(stages, stage)),
    ],
  };
}

function solveHere({ sizes, regions }: Case): Float64Array {
  for (const { at, numbers } of regions) new Float64Array(epoch.memory.buffer, at, numbers.length).set(numbers);
  const [pools, edges, loads, , stages] = sizes;
  assert.is(epoch.prepare(pools, edges, loads), 0);
  assert.is(epoch.evaluate(pools, edges, stages), 0);
  return new Float64Array(epoch.memory.buffer, epoch.resultAt(), RESULTS).slice();
}

const bytesOf = ({ sizes, regions }: Case) =>
  Buffer.concat([sizes, ...regions.map(({ numbers }) => numbers)].map((part) => Buffer.from(part.buffer)));

if (need(process.platform === "linux", "Linux", "wasm2c's runtime is tested there") && ensureDebian(PACKAGES)) {
  test(`${CASES} random epochs have the same bits in C`, () => {
    const cases = Array.from({ length: CASES }, (_, i) => randomCase(i + 1));
    const input = Buffer.concat(cases.map(bytesOf));
    const program = compileHost("epoch", "epoch", "epoch");
    const { status, stdout, stderr } = spawnSync(program, { input, maxBuffer: 2 ** 24 });
    assert.is(status, 0, stderr.toString());
    assert.is(stdout.length, CASES * RESULTS * 8);
    for (const [i, one] of cases.entries()) {
      const here = Buffer.from(solveHere(one).buffer);
      const there = stdout.subarray(i * RESULTS * 8, (i + 1) * RESULTS * 8);
      assert.ok(here.equals(there), `case ${i + 1}`);
    }
    assert.is(Number(/linear memory (\d+)/.exec(stderr.toString())?.[1]), 65536);
  });
}

test("the module asks for nothing from outside", () => {
  assert.equal(WebAssembly.Module.imports(epochModule), []);
});

test.run();
