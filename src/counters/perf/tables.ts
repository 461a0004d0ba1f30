// Event tables (profiles/events/*.json): which code counts what on which processor. Data, checked before use.

import * as v from "valibot";
import { InputError } from "../../core/errors.js";

const code = v.pipe(v.string(), v.regex(/^0x[0-9a-f]{1,16}$/, "must be 0x and hex digits"));
/**
 * Where the code was read: a list of the kernel's that tests/long/event-tables compares, one of a newer kernel (6.12), or nowhere
 * that could be read again. None was seen to count here.
 */
const checked = v.picklist(["kernel-json", "newer-kernel-json", "unverified"]);
const event = v.strictObject({
  /** The vendor's name. */
  name: v.string(),
  /** `hardware` (generic), `cache` (generic), or raw of the core's unit. */
  kind: v.picklist(["hardware", "cache", "raw"]),
  config: code,
  config1: v.optional(code, "0x0"),
  checked,
});
const uncore = v.strictObject({
  name: v.string(),
  /** Units whose name in /sys/bus/event_source/devices begins so. */
  unit: v.string(),
  config: code,
  config1: v.optional(code, "0x0"),
  checked,
});
const processor = v.strictObject({
  vendor: v.string(),
  family: v.optional(v.array(v.number())),
  model: v.optional(v.array(v.number())),
  stepping: v.optional(v.tuple([v.number(), v.number()])),
  /** Arm: CPU part of MIDR. */
  part: v.optional(v.array(v.number())),
});
const table = v.strictObject({
  schemaVersion: v.literal(1),
  name: v.string(),
  processors: v.array(processor),
  source: v.string(),
  events: v.record(v.string(), event),
  /** Names of events by use, the best first. */
  sets: v.array(v.strictObject({ name: v.string(), events: v.array(v.string()) })),
  /** Precise samples of loads that missed, with addresses. */
  sample: v.optional(v.strictObject({ event: v.string(), period: v.number(), preciseIp: v.number() })),
  /** Any operation is sampled by a unit of its own (AMD's IBS); its records tell which missed. IBS refuses periods whose low 4 bits are set. */
  opSample: v.optional(
    v.strictObject({
      unit: v.string(),
      config: code,
      period: v.pipe(v.number(), v.multipleOf(16)),
      preciseIp: v.number(),
      checked,
    }),
  ),
  uncore: v.optional(v.record(v.string(), uncore), {}),
});

export type EventTable = v.InferOutput<typeof table>;
export type TableEvent = EventTable["events"][string];
export type UncoreEvent = EventTable["uncore"][string];

/** What /proc/cpuinfo tells of the processor. */
export interface Processor {
  readonly vendor: string;
  readonly family: number;
  readonly model: number;
  readonly stepping: number;
  readonly part: number;
}

/** Parses a table. Throws InputError that names the field. */
export function parseEventTable(source: string, text: string): EventTable {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    throw new InputError(source, "", `is not JSON (${(error as Error).message})`, "Correct it.");
  }
  const result = v.safeParse(table, data);
  if (!result.success) {
    const [issue] = result.issues;
    const path = (issue.path ?? []).map(({ key }) => String(key)).join(".");
    throw new InputError(source, path, issue.message, "Correct the field, see docs/watching.md.");
  }
  for (const { name, events } of result.output.sets) {
    const unknown = events.find((one) => !(one in result.output.events));
    if (unknown) throw new InputError(source, `sets.${name}`, `${unknown} is no event of the table`, "Name one.");
  }
  return result.output;
}

/** Reads /proc/cpuinfo of x86 (vendor_id, cpu family, model, stepping) or Arm (implementer, part). */
export function parseProcessor(cpuinfo: string): Processor {
  const field = (name: string) => new RegExp(`^${name}\\s*:\\s*(.*)$`, "m").exec(cpuinfo)?.[1]?.trim() ?? "";
  const implementer = field("CPU implementer");
  return {
    vendor: field("vendor_id") || (implementer ? `arm:${implementer}` : ""),
    family: Number(field("cpu family") || -1),
    model: Number(field("model") || -1),
    stepping: Number(field("stepping") || -1),
    part: Number(field("CPU part") || -1),
  };
}

/** The table of a processor; the generic one (no processors) where none fits. */
export function tableOf(tables: readonly EventTable[], cpu: Processor): EventTable | null {
  const fits = (one: EventTable["processors"][number]) =>
    one.vendor === cpu.vendor &&
    (one.family?.includes(cpu.family) ?? true) &&
    (one.model?.includes(cpu.model) ?? true) &&
    (one.part?.includes(cpu.part) ?? true) &&
    (one.stepping === undefined || (cpu.stepping >= one.stepping[0] && cpu.stepping <= one.stepping[1]));
  const own = tables.find(({ processors }) => processors.some(fits));
  return own ?? tables.find(({ processors }) => processors.length === 0) ?? null;
}
