// What a test makes of a verdict: prints the adapter and its counts, and fails where anything differs.

import { spawn } from "node:child_process";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { root } from "../support/root.js";
import type { Verdict } from "./webgpu-parts.js";

const LIMIT_MS = 540_000;
const LAST_WORDS = 3000;

/**
 * Runs the judge under another program.
 * @param command program and its own arguments before the script
 * @param parts pattern of the parts that are wanted
 */
export async function judgedBy(command: readonly string[], env: NodeJS.ProcessEnv, parts = ""): Promise<Verdict> {
  const [program = "", ...args] = command;
  const script = join(root, "build", "tests", "conformance", "webgpu-judge.js");
  const child = spawn(program, [...args, script, parts], { env, timeout: LIMIT_MS, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  let words = "";
  child.stdout.on("data", (chunk) => {
    said += chunk;
  });
  child.stderr.on("data", (chunk) => {
    words = `${words}${chunk}`.slice(-LAST_WORDS);
  });
  const code = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) throw new Error(`the judge ended with ${code}: ${words}`);
  return JSON.parse(said.trim().split("\n").at(-1) ?? "") as Verdict;
}

/** Fails where a part has a difference, or one of the wanted parts is missing. */
export function checkVerdict({ adapter, parts, absent, error }: Verdict, adapterName: RegExp, wanted: RegExp): void {
  assert.is(error, null);
  for (const { name, cases, wrong } of parts) {
    console.log(`adapter: ${adapter}, ${name}: ${cases - wrong.length} of ${cases} agree`);
  }
  if (absent.length > 0) console.log(`adapter: ${adapter} has nothing for: ${absent.join("; ")}`);
  assert.match(adapter, adapterName);
  assert.equal(
    parts.flatMap(({ wrong }) => wrong),
    [],
  );
  assert.ok(parts.length > 0 && parts.every(({ cases }) => cases > 3));
  assert.match(parts.map(({ name }) => name).join("; "), wanted);
}
