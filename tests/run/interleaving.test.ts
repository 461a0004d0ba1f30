// Rounds run one iteration an arm, A B A B, timed by the injected clock; warm-ups leave no samples.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { type Arm, runRounds } from "../../src/run/rounds.js";

/** Arms that take a known time on a clock that only they move. */
function stage(durations: Readonly<Record<string, number>>) {
  let now = 1000;
  const order: string[] = [];
  const arms = Object.entries(durations).map(
    ([name, ns]): Arm => ({
      name,
      async before() {
        order.push(`(${name})`);
        now += 5e9; // preparation is not timed
      },
      async iteration() {
        order.push(name);
        now += ns;
      },
      after() {},
    }),
  );
  return { arms, order, clock: { nowNs: () => now } };
}

const goOn = async () => false;

test("arms take turns", async () => {
  const { arms, order, clock } = stage({ a: 2e6, b: 3e6 });
  const options = { rounds: 2, warmups: 1, clock, stopped: goOn, onIteration: () => {} };
  await runRounds(arms, options);
  assert.is(order.filter((name) => !name.startsWith("(")).join(""), "ababab");
  assert.is(order.slice(0, 4).join(" "), "(a) a (b) b");
});

test("samples are the clock's ns, preparation and warm-ups left out", async () => {
  const { arms, clock } = stage({ a: 2e6, b: 3e6 });
  const outcomes = await runRounds(arms, { rounds: 3, warmups: 2, clock, stopped: goOn, onIteration: () => {} });
  assert.equal(
    outcomes.map(({ samplesNs }) => samplesNs.map(Math.round)),
    [
      [2e6, 2e6, 2e6],
      [3e6, 3e6, 3e6],
    ],
  );
});

test("an arm that fails is left out, the others go on", async () => {
  const { arms, clock } = stage({ a: 1e6, b: 1e6 });
  let left = 1;
  const failing: Arm = {
    ...(arms[0] as Arm),
    async iteration() {
      if (left-- === 0) throw new Error("out of memory");
    },
  };
  const options = { rounds: 3, warmups: 0, clock, stopped: goOn, onIteration: () => {} };
  const [first, second] = await runRounds([failing, arms[1] as Arm], options);
  assert.is(first?.error?.message, "out of memory");
  assert.is(first?.samplesNs.length, 1);
  assert.is(second?.samplesNs.length, 3);
});

test("stopping keeps the samples so far", async () => {
  const { arms, clock } = stage({ a: 1e6, b: 1e6 });
  let iterations = 0;
  const options = {
    rounds: 5,
    warmups: 0,
    clock,
    stopped: async () => iterations >= 3,
    onIteration: () => iterations++,
  };
  const outcomes = await runRounds(arms, options);
  assert.equal(
    outcomes.map(({ samplesNs }) => samplesNs.length),
    [1, 1],
  );
});

test.run();
