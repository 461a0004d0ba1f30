// What a product takes along into its job: matrices that meet the same activations, which are then brought into their form
// once, and the op that makes those activations, row by row just before each row is quantized. Same bits as op after op.

import { swiglu } from "./activation";
import { Job, MOST_PARTS, PART_BYTES, UNIT_ROWS, ceilDiv } from "./job";
import { control } from "./jobs";
import { rmsnorm } from "./norm";

export const SOURCE_NONE: i32 = 0;
export const SOURCE_RMSNORM: i32 = 1;

// Of the coordinator's instance: which op makes the rows of x (none: they stand there), and the first row of this tile.
let source: i32 = 0;
let sourceFrom: usize = 0;
let sourceWith: usize = 0;
let sourceEps: f32 = 0;
let firstRow: i32 = 0;

// @ts-ignore: decorator
@inline
function partAt(index: i32): Job {
  return changetype<Job>(control() + 64 + <usize>index * PART_BYTES);
}

/** Matrix `index` (1 or 2) of the next `matmulParts`; the first is in its own arguments. Its kind and columns are the first one's. */
export function setPart(
  index: i32, weight: usize, scales: usize, bias: usize, out: usize, outStride: i32, rows: i32,
): void {
  if (<u32>index >= <u32>MOST_PARTS) unreachable();
  const part = partAt(index);
  part.weight = weight;
  part.scales = scales;
  part.bias = bias;
  part.out = out;
  part.outStride = outStride;
  part.rows = rows;
}

/** What makes x of the next `matmulParts` with a source: rmsnorm of `from` by the weights `partner`, or swiglu of gate `from` and up `partner`. */
export function setSource(from: usize, partner: usize, eps: f32): void {
  sourceFrom = from;
  sourceWith = partner;
  sourceEps = eps;
}

/** From now on rows are those from `first` on, made by `kind` (SOURCE_*; 2 is swiglu). */
export function beginRows(kind: i32, first: i32): void {
  source = kind;
  firstRow = first;
}

/** Makes `count` rows of x from row `row` of the tile on; x points to the first of them. */
export function makeRows(x: usize, row: i32, count: i32, cols: i32): void {
  if (source == SOURCE_NONE) return;
  const past = (<usize>(firstRow + row) * <usize>cols) << 2;
  if (source == SOURCE_RMSNORM) rmsnorm(sourceFrom + past, sourceWith, x, count, cols, sourceEps);
  else swiglu(sourceFrom + past, sourceWith + past, x, count * cols);
}

/** Gives the other matrices the prepared activations of the first; rows of all together. */
export function joinParts(job: Job, parts: i32): i64 {
  let rows = <i64>job.rows;
  let last = job;
  job.ownUnits = job.units;
  job.next = 0;
  for (let i = 1; i < parts; i++) {
    const part = partAt(i);
    part.kind = job.kind;
    part.cols = job.cols;
    part.tokens = job.tokens;
    part.group = job.group;
    part.offset = job.offset;
    part.x = job.x;
    part.xStride = job.xStride;
    part.xScales = job.xScales;
    part.xSums = job.xSums;
    part.ownUnits = ceilDiv(part.rows, UNIT_ROWS);
    part.next = 0;
    last.next = changetype<usize>(part);
    last = part;
    job.units += part.ownUnits;
    rows += part.rows;
  }
  return rows;
}

/** The outputs of the other matrices move on by the tokens of a tile. */
export function stepParts(tokens: i32, parts: i32): void {
  for (let i = 1; i < parts; i++) {
    const part = partAt(i);
    part.out += (<usize>tokens * <usize>part.outStride) << 2;
  }
}
