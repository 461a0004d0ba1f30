// The watchdog by itself, over a guard written by hand: when its harness is gone it continues what stands still, but not a process that
// only has the pid of one (another start time), and nothing when nothing was stopped.

import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { newFolder } from "../cli/nibblemark.js";
import { needNative } from "../support/native.js";
import { need } from "../support/need.js";
import { root } from "../support/root.js";

/** Guard of native/linux/guard.h: armed, deadline, method, count, two paths, processes of {pid, unused, start ticks}. */
const PATH_BYTES = 1024;
const PROCESSES_AT = 24 + 2 * PATH_BYTES;
const GUARD_BYTES = PROCESSES_AT + 4096 * 16;
const BY_SIGNAL = 1;

const program = join(root, "build", "native", "prebuilds", `linux-${process.arch}`, "nibblemark-watchdog");

function guardOf(armed: boolean, processes: readonly { pid: number; startTicks: bigint }[]): Buffer {
  const bytes = Buffer.alloc(GUARD_BYTES);
  bytes.writeBigUInt64LE(armed ? 1n : 0n, 0);
  bytes.writeBigUInt64LE(2n ** 62n, 8);
  bytes.writeUInt32LE(BY_SIGNAL, 16);
  bytes.writeUInt32LE(processes.length, 20);
  processes.forEach(({ pid, startTicks }, i) => {
    bytes.writeInt32LE(pid, PROCESSES_AT + i * 16);
    bytes.writeBigUInt64LE(startTicks, PROCESSES_AT + i * 16 + 8);
  });
  return bytes;
}

/** State letter and start time of /proc/PID/stat. */
function statOf(pid: number): { readonly state: string; readonly startTicks: bigint } {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { state: fields[0] as string, startTicks: BigInt(fields[19] as string) };
}

async function stopped(): Promise<ChildProcess & { readonly pid: number }> {
  const child = spawn("sleep", ["60"], { stdio: "ignore" }) as ChildProcess & { readonly pid: number };
  child.kill("SIGSTOP");
  while (statOf(child.pid).state !== "T") await sleep(5);
  return child;
}

/** Starts the watchdog over a guard and lets its harness be gone; resolves when it has ended. */
async function harnessDies(folder: string, guard: Buffer): Promise<void> {
  const path = join(folder, "guard");
  writeFileSync(path, guard);
  const fd = openSync(path, "r+");
  const dog = spawn(program, [], { stdio: ["pipe", "pipe", "ignore", fd] });
  closeSync(fd);
  await new Promise((resolve) => dog.stdout?.once("data", resolve));
  const ended = new Promise((resolve) => dog.on("close", resolve));
  dog.stdin?.destroy();
  await ended;
}

if (needNative() && need(existsSync(program), "the watchdog", "npm run build:native")) {
  const folder = newFolder();
  test.after(() => folder.remove());

  test("what stands still goes on, what only has its pid does not", async () => {
    const [ours, reused] = [await stopped(), await stopped()];
    const own = { pid: ours.pid, startTicks: statOf(ours.pid).startTicks };
    const other = { pid: reused.pid, startTicks: statOf(reused.pid).startTicks - 1n };
    await harnessDies(folder.path, guardOf(true, [own, other]));
    await sleep(20);
    assert.is.not(statOf(ours.pid).state, "T");
    assert.is(statOf(reused.pid).state, "T");
    ours.kill("SIGKILL");
    reused.kill("SIGKILL");
  });

  test("where nothing was being stopped, a program that its user stopped stays so", async () => {
    const child = await stopped();
    await harnessDies(folder.path, guardOf(false, [{ pid: child.pid, startTicks: statOf(child.pid).startTicks }]));
    await sleep(20);
    assert.is(statOf(child.pid).state, "T");
    child.kill("SIGKILL");
  });
}

test.run();
