// What tells the addresses of misses here: the table's precise event (PEBS), else a unit that samples any operation (AMD's IBS), whose
// records then tell which of them missed, else nothing and why.

import type { EventStatus } from "../../core/counters.js";
import { eventError, type NativeAddon } from "../../core/native.js";
import { openSamples, type SampleSpec } from "./samples.js";
import { CHASE_BYTES, CHASE_STEPS, type EventSpec, specWords } from "./specs.js";
import type { EventTable } from "./tables.js";

/** A unit of /sys/bus/event_source/devices that samples by itself. */
export interface SamplingUnit {
  readonly name: string;
  /** Its number for perf_event_open. */
  readonly type: number;
  /** Names in its folder `format`. */
  readonly formats: readonly string[];
}

export interface Sampling {
  readonly sample: Omit<SampleSpec, "words"> | null;
  /** The event that is sampled. */
  readonly sampled: EventSpec | null;
  /** Why nothing is, where that is worth telling. */
  readonly unsampled?: string;
}

type OpSample = NonNullable<EventTable["opSample"]>;

/** A unit's sampling of operations, tried on a pointer chase. */
export interface OpSampling extends Sampling {
  readonly status: EventStatus;
}

const EVENT = "missAddresses";
/** Operations a sample while it is tried: some 20 samples of the chase, some hundreds of what prepares it. */
const TRIED_PERIOD = 0x8000;
const USER_MEMORY = { startAddress: 0, sizeBytes: 2 ** 56, residentBytes: 2 ** 56 };

/** User mode alone where the kernel can filter (`swfilt`, config2 bit 0, Linux 6.14); kernels without it refuse exclude_kernel. */
function opSpec({ config }: OpSample, { type, formats }: SamplingUnit): EventSpec {
  const filters = formats.includes("swfilt");
  return {
    ...{ name: EVENT, type, config: BigInt(config), config1: 0n, config2: filters ? 1n : 0n },
    ...{ excludeKernel: filters, software: false },
  };
}

/** Why a unit's sampling does not open: its own advice where that of counters would mislead. */
function opError(errno: number, { excludeKernel }: EventSpec) {
  if ((errno === 1 || errno === 13) && !excludeKernel) {
    const reason =
      "this kernel cannot leave itself out of IBS samples, and sampling the kernel is not permitted (EACCES)";
    const remedy = "Lower /proc/sys/kernel/perf_event_paranoid to 1, give CAP_PERFMON, or use Linux 6.14 or newer";
    return { reason, remedy };
  }
  if (errno !== 22) return eventError(errno);
  const reason = "this kernel does not sample single processes by IBS (EINVAL)";
  return { reason, remedy: "Use Linux 6.2 or newer" };
}

function tryOpSample(addon: NativeAddon, wanted: OpSample, spec: EventSpec): EventStatus {
  const words = specWords([spec], 0);
  const samples = openSamples(addon, { words, period: TRIED_PERIOD, preciseIp: wanted.preciseIp, anyOp: true }, [0]);
  if (typeof samples === "number") return { event: EVENT, available: false, ...opError(samples, spec) };
  try {
    addon.chase(CHASE_BYTES, CHASE_STEPS);
    const found = samples.read(1, [{ ...USER_MEMORY, name: "", kind: "anon", writable: true }]).length > 0;
    const detail = `${wanted.unit} tells addresses of misses over a pointer chase (table entry ${wanted.checked})`;
    if (found) return { event: EVENT, available: true, detail };
    const reason = `${wanted.unit} opens, but a pointer chase gives no address of a miss`;
    return { event: EVENT, available: false, reason, remedy: "Virtual machines may do this" };
  } finally {
    samples.close();
  }
}

/** Tries the unit that the table names. Takes some 100 ms where there is one. */
export function openOpSampling(addon: NativeAddon, wanted: OpSample, units: readonly SamplingUnit[]): OpSampling {
  const unit = units.find(({ name }) => name === wanted.unit);
  const spec = unit ? opSpec(wanted, unit) : null;
  const reason = `there is no event unit ${wanted.unit}`;
  const remedy = "Virtual machines rarely show it, and firmware can switch it off";
  const status = spec ? tryOpSample(addon, wanted, spec) : { event: EVENT, available: false as const, reason, remedy };
  if (!status.available)
    return { status, sample: null, sampled: null, unsampled: `${status.reason}. ${status.remedy}` };
  const { period, preciseIp } = wanted;
  return { status, sample: { period, preciseIp, anyOp: true }, sampled: spec };
}

/** What is sampled beside the counted events: the table's precise event before operations. */
export function samplingOf(table: EventTable | null, specs: readonly EventSpec[], ops: OpSampling | null): Sampling {
  const { sample } = table ?? {};
  if (sample) return { sample, sampled: specs.find(({ name }) => name === sample.event) ?? null };
  // Addresses share out counted misses: without those they tell nothing.
  const useful = ops && specs.some(({ name }) => name === "llcMisses");
  return useful ? ops : { sample: null, sampled: null };
}
