// The addon and the exec command on a machine with a real performance monitoring unit: an arm64 machine under QEMU that this test
// puts together and boots. Its unit counts cycles and instructions, exactly; it has no miss events.

import { test } from "uvu";
import * as assert from "uvu/assert";
import type { EventStatus } from "../../src/core/counters.js";
import { ensureDebian } from "../support/debian.js";
import { need } from "../support/need.js";
import { boot } from "./machine.js";
import { MACHINE_PACKAGES } from "./setup.js";

interface Counted {
  readonly counts: readonly number[];
  readonly enabledNs: readonly number[];
  readonly runningNs: readonly number[];
}

interface Opened {
  readonly event: string;
  readonly errno: number;
}

interface Watched {
  readonly source: string;
  readonly counters: Readonly<Record<string, number>>;
  readonly delay: unknown;
  readonly slowdown: unknown;
}

const EACCES = 13;
const ESRCH = 3;

if (
  need(process.platform === "linux", "Linux", "the machine is put together there") &&
  ensureDebian(MACHINE_PACKAGES)
) {
  const { told, seconds, console: text } = boot("guest.js");
  const get = <T>(name: string): T => {
    assert.ok(told.has(name), `the guest told nothing of ${name}:\n${text.slice(-2000)}`);
    return told.get(name) as T;
  };
  console.log(`the arm64 machine ran for ${seconds.toFixed(1)} s`);
  if (process.env.NIBBLEMARK_SHOW) console.log(text);

  test("the machine has a unit of its own", () => {
    assert.ok(get<string[]>("units").includes("armv8_pmuv3"));
  });

  test("instructions of a known loop are exact, as one group with cycles and page faults", () => {
    const [one, two, three] = get<Counted[]>("exact") as [Counted, Counted, Counted];
    assert.is((two.counts[1] as number) - (one.counts[1] as number), 2_000_000);
    assert.is((three.counts[1] as number) - (two.counts[1] as number), 2_000_000);
    assert.is(one.counts[0], one.counts[1], "a cycle is an instruction here");
    assert.ok((one.counts[2] as number) > 0);
    assert.equal(one.enabledNs, one.runningNs);
  });

  test("more events than counters take turns, and their scaled counts agree", () => {
    const { counts, enabledNs, runningNs } = get<Counted>("multiplexed");
    assert.is(counts.length, 24);
    const shares = runningNs.map((ns, i) => ns / (enabledNs[i] as number));
    assert.ok(
      shares.every((share) => share > 0.05 && share < 0.6),
      shares.join(" "),
    );
    for (const count of counts) assert.ok(Math.abs(count / 400_000_000 - 1) < 0.02, String(count));
  });

  test("a running child is counted epoch by epoch", () => {
    for (const { counts } of get<Counted[]>("attached")) {
      assert.is(counts[0], counts[1]);
      assert.ok((counts[1] as number) > 1_000_000);
    }
  });

  test("at paranoid 2 a user counts his own programs in user mode only, at 3 nothing", () => {
    const two = get<Record<string, number>>("refused2");
    assert.equal(two, { own: 0, ownWithKernel: EACCES, foreign: EACCES, ownFaults: 0, gone: ESRCH });
    const three = get<Record<string, number>>("refused3");
    assert.equal([three.own, three.ownWithKernel, three.foreign, three.ownFaults], [EACCES, EACCES, EACCES, EACCES]);
  });

  test("events whose codes open but read 0 are unavailable, with the reason", () => {
    const { opened, believed } = get<{ opened: Opened[]; believed: EventStatus[] }>("raw");
    const zero = believed.filter(({ event }) => event !== "cycles" && event !== "instructions");
    assert.ok(zero.length >= 3);
    assert.ok(
      zero.some(({ event }) => opened.some((one) => one.event === event && one.errno === 0)),
      "some do open",
    );
    assert.ok(
      zero.every(({ available }) => !available),
      JSON.stringify(zero),
    );
    assert.ok(believed.some(({ event, available }) => event === "instructions" && available));
  });

  test("exec counts with the unit, and gives no delay by misses that it cannot count", () => {
    const exec = get<{ status: number; stdout: string; stderr: string; result: Watched }>("exec");
    assert.is(exec.status, 0, exec.stderr);
    assert.is(exec.stdout, "looped\n");
    const { source, counters, delay, slowdown } = exec.result;
    assert.is(source, "perf");
    assert.ok(Math.abs((counters.instructions as number) / 200_000_000 - 1) < 0.01, JSON.stringify(counters));
    assert.not.ok("llcMisses" in counters);
    assert.is(delay, null);
    assert.is(slowdown, null);
  });

  test("counting at epochs of 5 ms costs a program at most 2 % of its time on the core", () => {
    const alone = get<Counted>("alone").counts[0] as number;
    const { status, stderr, result } = get<{ status: number; stderr: string; result: Watched }>("counted");
    assert.is(status, 0, stderr);
    const ratio = (result.counters.taskClockNs as number) / alone;
    console.log(`counted in epochs of 5 ms: ${ratio.toFixed(4)} of its time alone`);
    assert.ok(ratio <= 1.02, String(ratio));
  });

  test("exec --bind runs on a node without processors", () => {
    const { status, stderr, result } = get<{
      status: number;
      stderr: string;
      result: { bound: { node: number; slowdown: number } };
    }>("bound");
    assert.is(status, 0, stderr);
    assert.is(result.bound.node, 1);
    assert.ok(result.bound.slowdown > 0.5 && result.bound.slowdown < 2);
  });
}

test.run();
