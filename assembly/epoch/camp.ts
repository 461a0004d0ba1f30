// CAMP (ASPLOS'26): the slowdown of a program whose memory moves far away, from counters of a run in local memory. Linear in
// four coefficients once the one that bends the latency term is known; src/delay/camp.ts fits all five for a host and a device.

/** [12] counters: see docs/delay-models.md for their names and order. */
const EVENTS: usize = memory.data(12 * 8);
/** [8]: bend, then the coefficients of demand reads, cache, stores and the constant; out: the three terms. */
const COEFFICIENTS: usize = memory.data(8 * 8);

export function campEventsAt(): usize {
  return EVENTS;
}

export function campCoefficientsAt(): usize {
  return COEFFICIENTS;
}

// @ts-ignore: decorator
@inline
function event(index: i32): f64 {
  return load<f64>(EVENTS + (<usize>index << 3));
}

// @ts-ignore: decorator
@inline
function ratio(over: f64, under: f64): f64 {
  return under > 0.0 ? over / under : 0.0;
}

/** Stalls beyond the L3 a cycle, weakened where loads overlap: their latency as the core sees it (AOL) over AOL + bend. */
export function campDemand(bend: f64): f64 {
  const latency = ratio(event(11), event(10));
  return ratio(event(5), event(0)) * ratio(latency, latency + bend);
}

/** Late prefetches: those that left the L3, times fill-buffer hits among misses, times stalls between L1 and L2 a cycle. */
export function campCache(): f64 {
  const far = ratio(event(8) - event(9), event(8));
  const late = ratio(event(7), event(7) + event(6));
  return far * late * ratio(event(3) - event(4), event(0));
}

/** Cycles bound on stores. */
export function campStore(): f64 {
  return ratio(event(2), event(0));
}

/** Slowdown (0.3 = 30 % longer) at the coefficients in memory; its terms are left behind them. Never below 0. */
export function campSlowdown(): f64 {
  const demand = load<f64>(COEFFICIENTS + 8) * campDemand(load<f64>(COEFFICIENTS));
  const cache = load<f64>(COEFFICIENTS + 16) * campCache();
  const stores = load<f64>(COEFFICIENTS + 24) * campStore();
  store<f64>(COEFFICIENTS + 40, demand);
  store<f64>(COEFFICIENTS + 48, cache);
  store<f64>(COEFFICIENTS + 56, stores);
  const sum = demand + cache + stores + load<f64>(COEFFICIENTS + 32);
  return sum > 0.0 ? sum : 0.0;
}

/** Stall cycles of one memory that serves `share` of them, of `all` when it serves everything under `load` times its idle latency. */
function campShare(share: f64, all: f64, load: f64): f64 {
  return (all * share * ((load - 1.0) * share * share + 1.0)) / load;
}

/**
 * CAMP's interleaving: stall cycles more than all near (`near`) when `share` of the lines lie far, where all of them would stall
 * `far` cycles. `nearLoad` and `farLoad`: loaded over idle latency of each memory with everything in it. A loaded memory that
 * gives lines away is relieved by the cube of what it keeps, so the result may be below 0.
 */
export function campInterleaved(share: f64, near: f64, far: f64, nearLoad: f64, farLoad: f64): f64 {
  return campShare(1.0 - share, near, nearLoad) + campShare(share, far, farLoad) - campShare(1.0, near, nearLoad);
}
