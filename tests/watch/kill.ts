// The kill test: the harness dies at random moments while it injects, and the program neither stands still nor loses a byte.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { counting } from "../support/programs.js";
import { assertNothingLeft, killedWhileInjecting, openRandom } from "./harness.js";

const SEED = 20261122;

/** Tries until `count` harnesses were killed while they watched, at most twice as often; every second one stops by signals. Gives how many were. */
export async function killTest(count: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "nibblemark-kill-"));
  const random = openRandom(SEED);
  const program = counting(4_000_000);
  let killed = 0;
  try {
    for (let i = 0; killed < count && i < 2 * count; i++) {
      const afterMs = Math.floor(random() * 600);
      const method = i % 2 === 0 ? [] : ["--stop-by", "signals"];
      const outcome = await killedWhileInjecting(program.line, join(folder, `out-${i}`), afterMs, [
        "--slow",
        "4",
        ...method,
      ]);
      assert.is(outcome.output, program.output, `kill ${i} after ${afterMs} ms`);
      killed += outcome.killed ? 1 : 0;
      await assertNothingLeft(folder);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return killed;
}
