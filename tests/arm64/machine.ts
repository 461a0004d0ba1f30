// Boots the arm64 test machine under QEMU, whose processor has a working performance monitoring unit: cycles and instructions, exact
// to the instruction, since its clock counts instructions. Reads what the guest prints.

import { spawnSync } from "node:child_process";
import { setUpMachine } from "./setup.js";

export interface Boot {
  /** Lines `@@NAME JSON` of the guest by name. */
  readonly told: ReadonlyMap<string, unknown>;
  readonly console: string;
  readonly seconds: number;
}

const LIMIT_MS = 240_000;
/** A node of memory without processors: the shape of a CXL expander. */
const FAR_NODE = [
  ...["-object", "memory-backend-ram,id=near,size=640M", "-object", "memory-backend-ram,id=far,size=256M"],
  ...["-numa", "node,nodeid=0,cpus=0,memdev=near", "-numa", "node,nodeid=1,memdev=far"],
  ...["-numa", "dist,src=0,dst=1,val=30"],
];

/** Runs a guest script (a name of build/tests/arm64) to its end. Throws when the machine does not come to its end in time. */
export function boot(script: string, limitMs = LIMIT_MS): Boot {
  const { kernel, initrd } = setUpMachine();
  const started = Date.now();
  const append = `console=ttyAMA0 panic=-1 quiet GUEST=/app/build/tests/arm64/${script}`;
  const machine = [
    "-M",
    "virt",
    "-cpu",
    "cortex-a57",
    "-icount",
    "shift=0,sleep=off",
    "-m",
    "896",
    "-nographic",
    "-no-reboot",
    "-nic",
    "none",
  ];
  const args = [...machine, ...FAR_NODE, "-kernel", kernel, "-initrd", initrd, "-append", append];
  const { stdout, stderr } = spawnSync("qemu-system-aarch64", args, {
    encoding: "utf8",
    timeout: limitMs,
    maxBuffer: 1 << 26,
    input: "",
  });
  const lines = stdout.split(/\r?\n/);
  const told = new Map(
    lines.flatMap((line): [string, unknown][] => {
      const match = /^@@(\S+) (.*)$/.exec(line);
      return match ? [[match[1] as string, JSON.parse(match[2] as string)]] : [];
    }),
  );
  if (told.get("end") !== 0) throw new Error(`the arm64 machine failed:\n${stdout.slice(-4000)}\n${stderr}`);
  return { told, console: stdout, seconds: (Date.now() - started) / 1000 };
}
