// `nibblemark exec` as a foreground job on a terminal: Ctrl-C reaches the program and leaves us to print, Ctrl-Z stops all and `fg` goes on,
// also while delays are injected; the program reads what is typed.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { needNative } from "../support/native.js";
import { need } from "../support/need.js";
import { root } from "../support/root.js";
import { MAIN } from "./harness.js";

const CTRL_C = "\u0003";
const CTRL_Z = "\u001a";

type Step = readonly ["expect" | "send", string] | readonly ["stopped"] | readonly ["fg"] | readonly ["sleep", number];

interface Session {
  readonly output: string;
  readonly code: number | null;
  readonly states: readonly (readonly string[])[];
  readonly left: Readonly<Record<string, string>>;
  readonly problem: string | null;
}

/** Runs a shell line under exec on a terminal of its own. */
function onTerminal(flags: readonly string[], line: string, steps: readonly Step[]): Session {
  const command = [process.execPath, MAIN, "exec", "--source", "none", ...flags, "--", "sh", "-c", line];
  const script = join(root, "tests", "watch", "terminal.py");
  const { stdout, stderr } = spawnSync("python3", [script, JSON.stringify(steps), ...command], { encoding: "utf8" });
  assert.ok(stdout.startsWith("{"), stderr);
  const session = JSON.parse(stdout) as Session;
  assert.is(session.problem, null, session.problem ?? "");
  assert.equal(session.left, {}, "nothing of the job is left");
  return session;
}

const STOPS: readonly (readonly string[])[] = [
  [],
  ["--epoch", "2", "--slow", "3", "--stop-by", "signals"],
  ["--epoch", "2", "--slow", "3"],
];
const BUSY = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";

const python = spawnSync("python3", ["-c", "import pty"]).status === 0;
if (needNative() && need(python, "python3", "Install python3: it plays the terminal")) {
  for (const flags of STOPS) {
    const how = flags.join(" ") || "nothing injected";

    test(`Ctrl-C ends the program by its own handler, and the table is printed (${how})`, () => {
      const line = `trap 'echo "caught it"; exit 0' INT; echo ready; while :; do ${BUSY}; done`;
      const { code, output } = onTerminal(flags, line, [
        ["expect", "ready"],
        ["sleep", 0.3],
        ["send", CTRL_C],
        ["expect", "caught it"],
        ["expect", "wall time"],
      ]);
      assert.is(code, 0, output);
      assert.is(output.match(/caught it\r?$/gm)?.length, 1, "one Ctrl-C is one signal");
    });

    test(`Ctrl-Z stops program and watch, fg goes on to the end (${how})`, () => {
      const line = `echo ready; for n in 1 2 3 4 5 6; do ${BUSY}; done; echo "the end"`;
      const { code, output, states } = onTerminal(flags, line, [
        ["expect", "ready"],
        ["sleep", 0.2],
        ["send", CTRL_Z],
        ["stopped"],
        ["fg"],
        ["expect", "the end"],
        ["expect", "wall time"],
      ]);
      assert.is(code, 0, output);
      // Ours and the shell's: all stopped, none runs on behind the user's back.
      assert.ok(
        states[0] && states[0].length >= 2 && states[0].every((state) => state === "T"),
        JSON.stringify(states),
      );
    });
  }

  test("a program that Ctrl-C ends is a failed run: exit code 4, no table", () => {
    const { code, output } = onTerminal([], `echo ready; while :; do ${BUSY}; done`, [
      ["expect", "ready"],
      ["sleep", 0.2],
      ["send", CTRL_C],
    ]);
    assert.is(code, 4, output);
    assert.match(output, /ended by SIGINT/);
    assert.not.match(output, /wall time/);
  });

  test("the program reads what is typed, and sees the terminal's size", () => {
    const { code, output } = onTerminal([], 'echo ready; read word; echo "got <$word>"; stty size', [
      ["expect", "ready"],
      ["send", "typed\n"],
      ["expect", "got <typed>"],
      ["expect", "24 100"],
    ]);
    assert.is(code, 0, output);
  });
}

test.run();
