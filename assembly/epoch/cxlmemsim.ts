// CXLMemSim's own formulas (HEAD of June 2026 and v1 of 2023), units, clamps and defects as they are, for comparison only.
// docs/delay-models.md lists the defects. Every function is pure.

// @ts-ignore: decorator
@inline
function least(a: f64, b: f64): f64 {
  return a < b ? a : b;
}

// @ts-ignore: decorator
@inline
function most(a: f64, b: f64): f64 {
  return a > b ? a : b;
}

/** HEAD: latency of one endpoint, ns. `missRatio` = misses an instruction, `remote` = share of remote accesses. */
export function headRobNs(readNs: f64, writeNs: f64, dramNs: f64, instructions: f64, missRatio: f64, remote: f64): f64 {
  let ns = (readNs + writeNs) / 2.0;
  if (instructions >= 0.8 * 512.0) ns *= 1.0 + 0.5 * missRatio;
  if (remote > 0.0) ns *= 1.0 + 0.3 * remote;
  return ns + dramNs * (remote + 0.1);
}

/** HEAD: pipeline latency of one endpoint without overlap, ns: 146.25 for 100 ns reads, 110 ns DRAM and an empty queue. */
export function headPipelineNs(readNs: f64, dramNs: f64, queue: f64): f64 {
  const u = queue / 64.0;
  let waiting: f64 = 0.0;
  if (u >= 0.8) waiting = 6.0 + (u - 0.8) * 100.0;
  else if (u >= 0.5) waiting = (u - 0.5) * 20.0;
  const total = 10.0 + 15.0 + readNs + 20.0 + 6.5 + waiting + 0.1 * dramNs;
  return queue < 16.0 ? total * 0.9 : total;
}

/** HEAD: the bandwidth penalty of one window, ns; one number however many lines the window has. */
export function headBandwidthNs(
  lines: f64,
  windowNs: f64,
  readShare: f64,
  readGBps: f64,
  writeGBps: f64,
  knee: f64,
  readNs: f64,
  writeNs: f64,
): f64 {
  if (lines <= 0.0) return 0.0;
  const observed = (64.0 * lines) / most(windowNs, 100000.0);
  const mixed = 2.0 / (1.0 / readGBps + 1.0 / writeGBps);
  let peak = readShare >= 0.5
    ? mixed + (readGBps - mixed) * (2.0 * readShare - 1.0)
    : writeGBps + (mixed - writeGBps) * 2.0 * readShare;
  if (readShare >= 0.95) peak = readGBps;
  if (readShare <= 0.05) peak = writeGBps;
  const u = observed / peak;
  const transfer = 64.0 / peak;
  const bend = least(most(knee, 0.1), 0.95);
  const latency = readNs * readShare + writeNs * (1.0 - readShare);
  let ns = 0.05 * transfer * u;
  if (u > bend) {
    const c = least(u, 0.98);
    const rise = (c - bend) / (0.98 - bend);
    ns += (transfer * c * rise * rise) / (1.0 - c);
  }
  if (u > 0.98) ns += (latency * (u - 0.98)) / 0.02;
  return least(ns, most(5000.0, 10.0 * latency));
}

/** HEAD: the write-back term; the inner division is one of integers. */
export function headWriteBack(stalls: f64, weight: f64, backs: f64, misses: f64, allMisses: f64, prefetches: f64, hits: f64): f64 {
  return (stalls * weight * floor((backs * misses) / (allMisses + prefetches + 1.0))) / (hits + weight * misses + 1.0);
}

/** HEAD: min(sum of ns, 1) taken for ms: any sum of 1 ns or more becomes exactly 1 ms. */
export function headDelayNs(latency: f64, bandwidth: f64, writeBack: f64): f64 {
  return least(most(latency, 0.0) + most(bandwidth, 0.0) + writeBack, 1.0) * 1e6;
}

/** v1: number of serialised accesses n_x = stall_x / d for `kind` misses of `misses`; frequency in MHz. */
export function v1Accesses(stalls: f64, mhz: f64, weight: f64, kind: f64, misses: f64, hits: f64, dramNs: f64): f64 {
  const all = hits + weight * misses;
  return all > 0.0 ? ((stalls / mhz) * weight * kind * 1000.0) / all / dramNs : 0.0;
}

/** v1: misses that force a write-back, of `misses` sampled. */
export function v1WriteBacks(backs: f64, misses: f64, reads: f64): f64 {
  return reads > 0.0 ? least((backs * misses) / reads, misses) : 0.0;
}

/** v1: the controller's bandwidth term of one endpoint: a ratio less seconds, times 1000. `epochMs` and the last latency in ms. */
export function v1Bandwidth(lines: f64, epochMs: f64, lastMs: f64, limitMBps: f64): f64 {
  const observed = ((64.0 * lines) / 1048576.0 / (epochMs + lastMs)) * 1000.0;
  return observed > limitMBps ? (observed / limitMBps - epochMs * 0.001) * 1000.0 : 0.0;
}
