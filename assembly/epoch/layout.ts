// Where the inputs and outputs of the epoch model lie: fixed regions of f64 in one 64 KiB page (docs/epoch-abi.md).

export const MAX_POOLS: i32 = 16;
export const MAX_EDGES: i32 = 32;
export const MAX_LOADS: i32 = 32;
/** Curves of one pool, by mix. */
export const MAX_CURVES: i32 = 4;
/** Points of all curves of all pools. */
export const MAX_POINTS: i32 = 768;
/** f64 in the stage region: one stage takes 1 + 4 * pools of them. */
export const STAGE_NUMBERS: i32 = 2560;
/** Epochs whose results fit. */
export const MAX_EACH: i32 = 256;

/** Lines of a stage in one pool, by kind. */
export const CHASE: i32 = 0;
export const STRIDE: i32 = 1;
export const STREAM: i32 = 2;
export const WRITTEN: i32 = 3;
export const KINDS: i32 = 4;

/** [8]: threads, lines in flight of one core for chase, stride and stream, measured ns (0 = none), 3 unused. */
export const HOST: usize = memory.data(8 * 8);
/** [pools, 24]: the figures at the offsets below. */
export const POOLS: usize = memory.data(16 * 24 * 8);
export const POOL_BYTES: usize = 24 * 8;
/** [points, 2]: GB/s, added ns. */
export const CURVES: usize = memory.data(768 * 2 * 8);
/** [edges, 2]: latency ns, GB/s per direction. */
export const EDGES: usize = memory.data(32 * 2 * 8);
/** [loads, 4]: pool, read GB/s, written GB/s, mask of the edges it crosses: what one other host does. */
export const LOADS: usize = memory.data(32 * 4 * 8);
/** [stages, 1 + 4 * pools]: compute ns, then by pool the lines of each kind. */
export const STAGES: usize = memory.data(2560 * 8);
/** [stages]: memory time of each stage with everything local. */
export const LOCAL: usize = memory.data(512 * 8);
/** [9]: local ns, placed ns, delay ns, latency, bandwidth, congestion and write-back terms, residual, other hosts' term. */
export const RESULT: usize = memory.data(9 * 8);
/** [epochs, 8]: local, placed, latency, bandwidth, congestion, write-back, other hosts, residual. */
export const EACH: usize = memory.data(256 * 8 * 8);

// Offsets inside a pool.
export const READ_NS: usize = 0;
export const WRITE_NS: usize = 8;
export const READ_GBPS: usize = 16;
export const MIXED_GBPS: usize = 24;
export const WRITE_GBPS: usize = 32;
export const QUEUE_NS: usize = 40;
export const EDGE_MASK: usize = 48;
export const CURVE_COUNT: usize = 56;
/** 4 x (share of writes, first point, points), shares rising. */
export const CURVE_TABLE: usize = 64;
export const CURVE_ENTRY: usize = 24;
/** 4 numbers that the module keeps for itself. */
export const HINTS: usize = 160;

// @ts-ignore: decorator
@inline
export function poolAt(pool: i32): usize {
  return POOLS + <usize>pool * POOL_BYTES;
}

// @ts-ignore: decorator
@inline
export function stageAt(stage: i32, pools: i32): usize {
  return STAGES + <usize>(stage * (1 + KINDS * pools)) * 8;
}

// @ts-ignore: decorator
@inline
export function longer(a: f64, b: f64): f64 {
  return a > b ? a : b;
}
