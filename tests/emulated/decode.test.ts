// Our own decode, int4 through wasm2c, as a native program: the lines that a token moves, as the emulated source counts them, as
// cachegrind does, and as they are derived from the op list (agreement of three models, within 0.1 %).

import { test } from "uvu";
import * as assert from "uvu/assert";
import { openTrafficModel } from "../../src/delay/traffic.js";
import { nodePlatform } from "../../src/platform/node.js";
import { compileHost, PACKAGES } from "../embedding/native.js";
import { decoder } from "../epoch/fixture.js";
import { ensureDebian } from "../support/debian.js";
import { need } from "../support/need.js";
import { buildPlugin, cachegrindMisses, EMULATOR_PACKAGES, runEmulated, sumOf } from "./bed.js";

const MIB = 2 ** 20;
const LLC_BYTES = 2 * MIB;
const SHAPE = { hidden: 512, heads: 8, ffn: 1408, layers: 12, vocab: 1024 };
/** Tokens of the two runs; their difference leaves out what is done once. */
const FEW = 1;
const MANY = 4;

/** Lines that a token fetches in the mean, by the op list of the same decoder. */
async function derivedLines(): Promise<number> {
  const model = await openTrafficModel(nodePlatform());
  const shape = decoder({ ...SHAPE, context: MANY, format: "int4-g32" });
  const epochs = Array.from({ length: MANY }, (_, position) => shape.epoch(position, 1));
  const record = model.record({ specs: shape.specs, epochs, llcBytes: LLC_BYTES, warmPasses: 0 });
  const lines = record.epochs.slice(FEW).flatMap((ops) => ops.flatMap(({ misses }) => misses));
  const high = lines.map(({ chaseLines, strideLines, streamLines }) => chaseLines[1] + strideLines[1] + streamLines[1]);
  return high.reduce((sum, count) => sum + count, 0) / (MANY - FEW);
}

const ready = need(
  process.platform === "linux" && process.arch === "x64",
  "Linux on x86-64",
  "QEMU user mode runs there",
);
if (ready && ensureDebian([...EMULATOR_PACKAGES, ...PACKAGES, "valgrind"])) {
  buildPlugin();
  const program = compileHost("decode", "kernels.scalar", "kernels");
  const { hidden, heads, ffn, layers, vocab } = SHAPE;
  const command = (tokens: number) => [program, ...[hidden, heads, ffn, layers, vocab, tokens].map(String)];
  const options = { llcBytes: LLC_BYTES, epochInstructions: 1e7 };

  const emulated = async (tokens: number) => sumOf((await runEmulated(command(tokens), options)).epochs, "llcMisses");

  test("the lines of a run and of a token are those of cachegrind and of the op list", async () => {
    const ours = [await emulated(FEW), await emulated(MANY)] as const;
    const theirs = [cachegrindMisses(command(FEW), LLC_BYTES), cachegrindMisses(command(MANY), LLC_BYTES)] as const;
    const off = (ours[1] / theirs[1] - 1) * 100;
    console.log(`decode: ${ours[1]} lines here, ${theirs[1]} in cachegrind, ${off.toFixed(4)} %`);
    assert.ok(Math.abs(off) <= 0.1, `${off} % from cachegrind`);
    const derived = await derivedLines();
    const token = [ours, theirs].map(([few, many]) => (many - few) / (MANY - FEW)) as [number, number];
    const [own, other] = token.map((lines) => (lines / derived - 1) * 100) as [number, number];
    console.log(
      `a token: ${derived.toFixed(0)} lines derived, here ${own.toFixed(3)} % more, in cachegrind ${other.toFixed(3)} %`,
    );
    assert.ok(Math.abs(own) <= 0.1, `${own} % from derived`);
    assert.ok(Math.abs(other) <= 0.1, `cachegrind ${other} % from derived`);
  });
}

test.run();
