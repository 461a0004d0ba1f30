// The flags that `exec` and `attach` share, checked into options.

import { InputError } from "../core/errors.js";
import { byteSize, type Flag, type Parsed, plainNumber } from "./flags.js";

export const WATCH_FLAGS: readonly Flag[] = [
  { name: "topology", value: "TOPOLOGY", help: "a shipped name, a JSON or Newick file, or a Newick tree (cxl-1hop)" },
  { name: "source", value: "SOURCE", help: "perf, breakpoint, emulated or none (the best that works here)" },
  { name: "delay", value: "MODEL", help: "traffic, stall, camp, cxlmemsim or cxlmemsim-v1 (by what is counted)" },
  {
    name: "place",
    value: "RULE",
    repeat: true,
    help: "where its memory lives: heap=cxl0, 'size>=64MiB=cxl0', name:libfoo=dram, first-fit, hot-first, ... (all in the first far pool)",
  },
  { name: "near", value: "BYTES", help: "what of local memory first-fit and hot-first may fill" },
  {
    name: "epoch",
    value: "MS",
    help: "length of an epoch, from 0.1 (10); long ones leave breakpoint with too few probes",
  },
  { name: "duration", value: "SECONDS", help: "ends the watch after so long; the program runs on (not with emulated)" },
  { name: "inject", help: "makes the program really slower by its delays (it stands still now and then)" },
  { name: "slow", value: "FACTOR", help: "makes the program slower by this factor, whatever it counts" },
  { name: "stop-by", value: "METHOD", help: "cgroup or signals (a frozen cgroup where one can be made)" },
  { name: "host", value: "FILE", help: "host profile to evaluate on, from `calibrate` (the frozen default)" },
  { name: "llc", value: "BYTES", help: "effective last-level cache (the host profile's)" },
  {
    name: "camp",
    value: "FILE",
    help: "of this host and device: microbenchmarks, or a fit that calibrate --camp stored",
  },
  { name: "live", help: "a table on stderr that refreshes, also where the program shares the terminal" },
  { name: "output", short: "o", value: "FORMAT", help: "the summary as table, json or none" },
  { name: "export-json", value: "FILE", help: "also write the summary to a file" },
  { name: "export-jsonl", value: "FILE", help: "write an epoch a line, as they come; replay reads it" },
  { name: "export-html", value: "FILE", help: "write a timeline" },
];

export interface WatchSettings {
  readonly epochNs: number;
  readonly durationNs: number | null;
  readonly slowFactor: number | null;
  readonly inject: boolean;
  /** null: a cgroup where one can be made. */
  readonly stopBy: "cgroup" | "signals" | null;
  readonly nearBytes: number | null;
  readonly llcBytes: number | null;
  readonly output: "table" | "json" | "none";
}

function bytesFlag(command: string, parsed: Parsed, name: string): number | null {
  const text = parsed.text(name);
  if (text === undefined) return null;
  const bytes = byteSize(text);
  if (bytes !== null && bytes > 0) return bytes;
  throw new InputError(`nibblemark ${command}`, `--${name}`, `"${text}" is no size`, "Write it like 256MiB or 4GB");
}

function outputOf(command: string, parsed: Parsed): WatchSettings["output"] {
  const text = parsed.text("output") ?? "table";
  if (text === "table" || text === "json" || text === "none") return text;
  throw new InputError(`nibblemark ${command}`, "--output", `"${text}" is unknown`, "Known: table, json, none");
}

function stopByOf(command: string, parsed: Parsed): WatchSettings["stopBy"] {
  const text = parsed.text("stop-by") ?? null;
  if (text === null || text === "cgroup" || text === "signals") return text;
  throw new InputError(`nibblemark ${command}`, "--stop-by", `"${text}" is unknown`, "Known: cgroup, signals");
}

/** Checks the shared flags. Throws InputError. */
export function watchSettings(command: string, parsed: Parsed): WatchSettings {
  const number = (name: string, least: number, most: number) => {
    const text = parsed.text(name);
    return text === undefined ? null : plainNumber(command, name, text, least, most);
  };
  const duration = number("duration", 0.001, 1e7);
  const slowFactor = number("slow", 1, 100);
  if (slowFactor !== null && parsed.on("inject")) {
    const remedy = "--inject slows by the model, --slow by a factor";
    throw new InputError(`nibblemark ${command}`, "--slow", "stands beside --inject", remedy);
  }
  return {
    epochNs: (number("epoch", 0.1, 60_000) ?? 10) * 1e6,
    durationNs: duration === null ? null : duration * 1e9,
    slowFactor,
    inject: parsed.on("inject") || slowFactor !== null,
    stopBy: stopByOf(command, parsed),
    nearBytes: bytesFlag(command, parsed, "near"),
    llcBytes: bytesFlag(command, parsed, "llc"),
    output: outputOf(command, parsed),
  };
}
