// Programs to watch: shell lines that any Linux has, with output that is known.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";

/** Counts to `last` and prints a digest of it: three processes, all cores, a second for some 3,000,000. */
export function counting(last: number): { readonly line: string; readonly output: string } {
  const text = execFileSync("seq", ["1", String(last)], { maxBuffer: 1 << 28 });
  const digest = createHash("sha256").update(text).digest("hex");
  return { line: `seq 1 ${last} | sha256sum`, output: `${digest}  -\n` };
}
