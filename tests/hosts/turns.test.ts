// Hosts that take turns: one works at a time, each gets a round in its order, one that is missing or dies does not stop the others.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { type HostStart, missingHost, takeTurns } from "../../src/cli/parts/turns.js";
import type { FinalEvent } from "../../src/cli/protocol.js";
import { UnavailableError } from "../../src/core/errors.js";
import type { BenchResult } from "../../src/core/result.js";
import type { HostName } from "../../src/core/target.js";

/** A host of `rounds` rounds that writes down when it works. */
function rounds(host: HostName, count: number, log: string[], end?: Error): HostStart {
  return {
    host,
    start(onMessage) {
      let left = count;
      let finish: (event: FinalEvent) => void = () => {};
      let fail: (error: Error) => void = () => {};
      const done = new Promise<FinalEvent>((resolve, reject) => {
        finish = resolve;
        fail = reject;
      });
      log.push(`${host} loads`);
      queueMicrotask(() => onMessage({ kind: "turn" }));
      return {
        done,
        kill: async () => {},
        send(message) {
          if (message.kind !== "go") return;
          log.push(host);
          left--;
          queueMicrotask(() => {
            if (left > 0) onMessage({ kind: "turn" });
            else if (end) fail(end);
            else finish({ kind: "result", result: {} as BenchResult });
          });
        },
      };
    },
  };
}

test("each loads alone, then rounds go round, and those that are done drop out", async () => {
  const log: string[] = [];
  const outcomes = await takeTurns(
    [rounds("node", 3, log), rounds("bun", 1, log), rounds("deno", 2, log)],
    () => {},
    () => {},
  );
  assert.is(log.join(" "), "node loads bun loads deno loads node bun deno node deno node");
  assert.equal(
    outcomes.map(({ host, answer }) => [host, answer.kind]),
    [
      ["node", "result"],
      ["bun", "result"],
      ["deno", "result"],
    ],
  );
});

test("a host that is not there and one that dies are told, the others go on", async () => {
  const log: string[] = [];
  const absent: HostStart = {
    host: "bun",
    start: () => {
      throw new UnavailableError("bun", "no bun is installed", "Install it");
    },
  };
  const outcomes = await takeTurns(
    [absent, rounds("deno", 1, log, new Error("deno ended with SIGKILL")), rounds("node", 2, log)],
    () => {},
    () => {},
  );
  assert.is(log.join(" "), "deno loads node loads deno node node");
  assert.is(outcomes[2]?.answer.kind, "result");
  const told = outcomes.slice(0, 2).map(missingHost);
  assert.equal(
    told.map((status) => (status.available ? "" : status.reason)),
    ["no bun is installed", "deno ended with SIGKILL"],
  );
});

test.run();
