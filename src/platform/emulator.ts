// Finds QEMU user mode and the plugin, reads the heads of programs, and keeps the files that the plugin writes.

import { spawnSync } from "node:child_process";
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Appended, Emulator, EmulatorFiles, EmulatorHost, Program } from "../core/emulator.js";
import { UnavailableError } from "../core/errors.js";

// build/src/platform/emulator.js -> build/native/prebuilds
const PREBUILDS = fileURLToPath(new URL("../../native/prebuilds/", import.meta.url));
/** By Node's name of the architecture: QEMU's, and the ELF machine number (System V ABI). */
const ARCHITECTURES: Readonly<Record<string, { readonly qemu: string; readonly machine: number }>> = {
  x64: { qemu: "x86_64", machine: 62 },
  arm64: { qemu: "aarch64", machine: 183 },
};
const SETUID = 0o4000;
const SETGID = 0o2000;
const HEAD_BYTES = 256;
const OUTPUT = "epochs.jsonl";

function pluginFor(version: string): string {
  const api = Number.parseInt(version, 10) >= 9 ? 2 : 1;
  const plugin = join(PREBUILDS, `${process.platform}-${process.arch}`, `nibblemark-emulated-${api}.so`);
  if (existsSync(plugin)) return plugin;
  const remedy = "In a clone: `npm run build:plugin` (Debian: gcc libc6-dev)";
  throw new UnavailableError("the emulated counter source", `${plugin} is missing`, remedy);
}

function find(): Emulator {
  const architecture = ARCHITECTURES[process.arch];
  if (process.platform !== "linux" || !architecture) {
    const reason = `QEMU user mode runs on Linux on x86-64 and arm64, this is ${process.platform} on ${process.arch}`;
    throw new UnavailableError("the emulated counter source", reason, "Use Linux");
  }
  const file = `qemu-${architecture.qemu}`;
  const { status, stdout } = spawnSync(file, ["--version"], { encoding: "utf8" });
  const version = /version (\d+\.\d+\.\d+)/.exec(stdout ?? "")?.[1];
  if (status !== 0 || !version) {
    const remedy = "Install QEMU's user mode (Debian: apt-get install qemu-user)";
    throw new UnavailableError("the emulated counter source", `${file} is missing`, remedy);
  }
  return { file: lookUp(file) ?? file, version, plugin: pluginFor(version) };
}

function lookUp(file: string): string | null {
  const folders = file.includes("/") ? [""] : (process.env.PATH ?? "").split(delimiter);
  return (
    folders.map((folder) => join(folder, file)).find((path) => statSync(path, { throwIfNoEntry: false })?.isFile()) ??
    null
  );
}

function head(path: string): Buffer {
  const bytes = Buffer.alloc(HEAD_BYTES);
  const file = openSync(path, "r");
  try {
    return bytes.subarray(0, readSync(file, bytes, 0, HEAD_BYTES, 0));
  } finally {
    closeSync(file);
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function program(file: string): Program {
  const path = lookUp(file);
  if (path === null)
    return { kind: "unusable", problem: "is not found", remedy: "Give a program of PATH, or its path." };
  if (!isExecutable(path))
    return { kind: "unusable", problem: "is not executable", remedy: "`chmod +x` it, or name its interpreter." };
  const bytes = head(path);
  if (bytes.subarray(0, 2).toString("latin1") === "#!") {
    const line = bytes.subarray(2).toString("utf8").split("\n")[0] as string;
    const [interpreter = "", ...rest] = line.trim().split(/[ \t]+/);
    return { kind: "script", path, interpreter: rest.length > 0 ? [interpreter, rest.join(" ")] : [interpreter] };
  }
  if (bytes.length < 20 || bytes.readUInt32BE(0) !== 0x7f454c46) {
    return { kind: "unusable", problem: "is no program (no ELF file, no script)", remedy: "Give a Linux program." };
  }
  const setuid = (statSync(path).mode & (SETUID | SETGID)) !== 0;
  return { kind: "elf", path, bits: bytes[4] === 1 ? 32 : 64, machine: bytes.readUInt16LE(18), setuid };
}

/** New text of a file from an offset on. */
function readFrom(path: string, offset: number): Buffer {
  const bytes = Buffer.alloc(Math.max(0, statSync(path).size - offset));
  const file = openSync(path, "r");
  try {
    return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, offset));
  } finally {
    closeSync(file);
  }
}

function files(): EmulatorFiles {
  const folder = mkdtempSync(join(tmpdir(), "nibblemark-emulated-"));
  const remove = () => {
    process.off("exit", remove);
    rmSync(folder, { recursive: true, force: true });
  };
  // What goes wrong before a session is open leaves nothing either.
  process.once("exit", remove);
  const offsets = new Map<string, number>();
  const readOne = (name: string): Appended => {
    const bytes = readFrom(join(folder, name), offsets.get(name) ?? 0);
    // Bytes after the last newline belong to a line that is still being written.
    const whole = bytes.subarray(0, bytes.lastIndexOf(10) + 1);
    offsets.set(name, (offsets.get(name) ?? 0) + whole.length);
    return { process: name.slice(OUTPUT.length + 1), text: whole.toString("utf8") };
  };
  return {
    path: join(folder, OUTPUT),
    read: () => readdirSync(folder).sort().map(readOne),
    remove,
  };
}

/** The emulator of this machine. */
export function emulatorHost(): EmulatorHost {
  return { machine: ARCHITECTURES[process.arch]?.machine ?? 0, find, program, files };
}
