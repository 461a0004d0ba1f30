// Weights from a file straight into linear memory: read in pieces that stay in a core's cache, repacked by the kernels into
// their place, while the next piece is being read.

import { InputError } from "../../core/errors.js";
import type { TensorId } from "../../core/op.js";
import { BLOCKS, packedBlocksBytes, packedInt4Bytes, recordBytes } from "../../core/packed.js";
import type { CodeValues, RawWeights, StoredMatrix } from "../../core/stored.js";
import { BLOCK_TYPE, OFFSET } from "./kernels.js";
import { CODE_ORDER } from "./records.js";
import { type Place, placeOf, type State, stagingOf } from "./state.js";

/** Two pieces are under way at a time. */
const PIECE_BYTES = 1 << 19;
/** Blocks are read into their place, whatever a cache holds. */
const BLOCKS_PIECE_BYTES = 1 << 21;
const SCRATCH_BYTES = 8192;
/** Codes of a block whose scales stand elsewhere in the file (nf4, affine8, zero8). */
const BODY_BYTES = 32;

/** Fills a tensor. Throws InputError when the matrix is not what the tensor's spec says, or holds what is not finite. */
export async function takeIn(state: State, id: TensorId, matrix: StoredMatrix): Promise<void> {
  const place = placeOf(state, id);
  const { raw } = matrix;
  check(place, matrix);
  if (!raw) throw new InputError(matrix.name, "", "says not where its weights lie", "Read it and upload it");
  const { form } = raw;
  switch (form.kind) {
    case "blocks":
      return takeBlocks(state, place, matrix, raw);
    case "ggml4":
      return takeGgml4(state, place, matrix, raw);
    case "codes":
      await takeCodes(state, place, matrix, raw, CODE_ORDER[form.order]);
      return takeValues(state, place, matrix, await form.values());
    case "bodies":
      return takeBodies(state, place, matrix, raw, await form.heads());
    default:
      return form satisfies never;
  }
}

function check({ spec, offset }: Place, matrix: StoredMatrix): void {
  const { format, rows, cols, name } = matrix;
  const found = matrix.offset ?? "none8";
  if (format === spec.format && found === offset && rows === spec.rows && cols === spec.cols) return;
  const problem = `expected ${spec.format} ${offset} [${spec.rows}, ${spec.cols}], got ${format} ${found} [${rows}, ${cols}]`;
  throw new InputError(name, "load", problem, "Lay the tensor out as the file holds it");
}

/** Reads a range in pieces to addresses, the next one while a piece is used. @param to where piece i goes */
async function stream(
  { memory }: State,
  { source, offset, byteLength }: Pick<RawWeights, "source" | "offset" | "byteLength">,
  pieceBytes: number,
  to: (piece: number) => number,
  use: (at: number, start: number, bytes: number) => void,
): Promise<void> {
  const read = async (piece: number): Promise<void> => {
    const start = piece * pieceBytes;
    const target = new Uint8Array(memory.buffer, to(piece), Math.min(pieceBytes, byteLength - start));
    if (source.readInto) return source.readInto(offset + start, target);
    target.set(await source.read(offset + start, target.length));
  };
  const count = Math.ceil(byteLength / pieceBytes);
  let next = read(0);
  for (let piece = 0; piece < count; piece++) {
    await next;
    if (piece + 1 < count) next = read(piece + 1);
    try {
      const start = piece * pieceBytes;
      use(to(piece), start, Math.min(pieceBytes, byteLength - start));
    } catch (error) {
      await next.catch(() => {});
      throw error;
    }
  }
}

/** Pieces of whole units that go to two areas in turn. */
async function streamThrough(
  state: State,
  raw: RawWeights,
  unitBytes: number,
  use: (at: number, first: number, units: number) => void,
): Promise<void> {
  const piece = Math.max(1, Math.floor(PIECE_BYTES / unitBytes)) * unitBytes;
  const area = stagingOf(state, 2 * piece);
  await stream(
    state,
    raw,
    piece,
    (i) => area + (i & 1) * piece,
    (at, start, bytes) => {
      use(at, start / unitBytes, Math.ceil(bytes / unitBytes));
    },
  );
}

function refuse({ name, label }: StoredMatrix, row: number): InputError {
  return new InputError(name, `${label} row ${row}`, "holds a number that is not finite", "Get the file again");
}

async function takeBlocks(state: State, { at }: Place, matrix: StoredMatrix, raw: RawWeights): Promise<void> {
  const { rows, cols } = matrix;
  const type = typeOf(matrix);
  const rowBytes = packedBlocksBytes(1, cols, type);
  expectBytes(matrix, raw, rows * rowBytes);
  const piece = Math.max(1, Math.floor(BLOCKS_PIECE_BYTES / rowBytes)) * rowBytes;
  const scratch = stagingOf(state, SCRATCH_BYTES);
  await stream(
    state,
    raw,
    piece,
    (i) => at + i * piece,
    (from, start, bytes) => {
      const bad = state.kernels.firstBadRow(BLOCK_TYPE[type], from, bytes / rowBytes, cols, scratch);
      if (bad >= 0) throw refuse(matrix, start / rowBytes + bad);
    },
  );
}

function typeOf({ format, name }: StoredMatrix): keyof typeof BLOCKS {
  if (format in BLOCKS) return format as keyof typeof BLOCKS;
  throw new InputError(name, "load", `${format} has no blocks`, "Read it and upload it");
}

function expectBytes({ name }: StoredMatrix, { byteLength }: RawWeights, bytes: number): void {
  if (byteLength === bytes) return;
  throw new InputError(name, "load", `has ${byteLength} bytes, its shape needs ${bytes}`, "Get the file again");
}

async function takeGgml4(state: State, { at, offset }: Place, matrix: StoredMatrix, raw: RawWeights): Promise<void> {
  const { rows, cols } = matrix;
  const rowBytes = (cols / 32) * (offset === "none8" ? 18 : 20);
  expectBytes(matrix, raw, rows * rowBytes);
  await streamThrough(state, raw, 8 * rowBytes, (from, first, units) => {
    const count = Math.min(8 * units, rows - 8 * first);
    const to = at + packedInt4Bytes(8 * first, cols, 32, offset);
    const bad = state.kernels.repackInt4(from, count, cols, OFFSET[offset], to);
    if (bad >= 0) throw refuse(matrix, 8 * first + bad);
  });
}

async function takeCodes(state: State, place: Place, matrix: StoredMatrix, raw: RawWeights, order: number) {
  const { rows, cols } = matrix;
  const { at, group, offset } = place;
  if (group === 0) throw new InputError(matrix.name, "load", `${matrix.format} has no codes`, "Read it and upload it");
  expectBytes(matrix, raw, (rows * cols) / 2);
  const kind = OFFSET[offset];
  // Rows that only pad the last block weigh nothing.
  const blockBytes = packedInt4Bytes(8, cols, group, offset);
  if (rows % 8 !== 0) new Uint8Array(state.memory.buffer, at + (rows >> 3) * blockBytes, blockBytes).fill(0);
  if (order === CODE_ORDER.rows) {
    await streamThrough(state, raw, 4 * cols, (from, first, units) => {
      const count = Math.min(8 * units, rows - 8 * first);
      state.kernels.spreadCodes(order, from, count, cols, 0, cols / 8, group, kind, at + first * blockBytes);
    });
    return;
  }
  await streamThrough(state, raw, 4 * rows, (from, first, units) => {
    state.kernels.spreadCodes(order, from, rows, cols, first, units, group, kind, at);
  });
}

/** Scales and offsets, a range of groups at a time where groups are far apart in the file, else of rows. */
function takeValues(state: State, { at, group, offset }: Place, matrix: StoredMatrix, values: CodeValues): void {
  const { rows, cols } = matrix;
  const { scales, offsets, rowStride, groupStride, share } = values;
  if (group === 0) return;
  const kind = OFFSET[offset];
  const groups = cols / group;
  const across = rowStride === 1;
  const per = across ? groupStride : 8 * rowStride;
  const count = across ? groups / share : Math.ceil(rows / 8);
  const step = Math.max(1, Math.floor(PIECE_BYTES / (4 * per)));
  const area = stagingOf(state, step * per * 4);
  const { buffer } = state.memory;
  for (let first = 0; first < count; first += step) {
    const [from, to] = [first * per, Math.min((first + step) * per, scales.length)];
    new Uint16Array(buffer, area, to - from).set(scales.subarray(from, to));
    const own = area + step * per * 2;
    if (offsets instanceof Uint8Array) new Uint8Array(buffer, own, to - from).set(offsets.subarray(from, to));
    else if (offsets) new Uint16Array(buffer, own, to - from).set(offsets.subarray(from, to));
    const some = Math.min(step, count - first);
    const [firstGroup, groupCount] = across ? [first * share, some * share] : [0, groups];
    const rowCount = across ? rows : Math.min(8 * some, rows - 8 * first);
    const out = across ? at : at + first * groups * recordBytes(group, offset);
    const strides = [rowStride, groupStride, share] as const;
    state.kernels.spreadScales(area, own, rowCount, cols, firstGroup, groupCount, group, kind, ...strides, out);
  }
}

async function takeBodies(state: State, { at }: Place, matrix: StoredMatrix, raw: RawWeights, heads: Uint8Array) {
  const count = raw.byteLength / BODY_BYTES;
  const headBytes = heads.length / count;
  expectBytes(matrix, { ...raw, byteLength: count * (headBytes + BODY_BYTES) }, blocksBytes(matrix));
  // Heads of the pieces pass through an area of their own.
  const most = PIECE_BYTES / BODY_BYTES;
  const area = stagingOf(state, 2 * PIECE_BYTES + most * headBytes);
  const headsAt = area + 2 * PIECE_BYTES;
  await stream(
    state,
    raw,
    PIECE_BYTES,
    (i) => area + (i & 1) * PIECE_BYTES,
    (from, start, bytes) => {
      const [first, blocks] = [start / BODY_BYTES, bytes / BODY_BYTES];
      const part = heads.subarray(first * headBytes, (first + blocks) * headBytes);
      new Uint8Array(state.memory.buffer, headsAt, part.length).set(part);
      state.kernels.joinBlocks(headsAt, headBytes, from, blocks, at + first * (headBytes + BODY_BYTES));
    },
  );
}

const blocksBytes = (matrix: StoredMatrix): number => packedBlocksBytes(matrix.rows, matrix.cols, typeOf(matrix));
