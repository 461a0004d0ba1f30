// What an open WASM backend knows: its instance, where each tensor lies, and the scratch areas of the kernels.

import { InputError } from "../../core/errors.js";
import { headDimOf, type TensorId, type TensorSpec } from "../../core/op.js";
import { type BlockType, type Group, type PackedInt4, packedBlocksBytes, packedInt4Bytes } from "../../core/packed.js";
import { type Arena, openArena } from "./arena.js";
import type { Kernels, Loaded } from "./kernels.js";

/** Columns of the largest attention head that the table of rotations has room for. */
const WIDEST_HEAD = 256;

/** A tensor's place. int8: `at` is the tiled matrix, `scalesAt` f32 [rows]. */
export interface Place {
  readonly spec: TensorSpec;
  at: number;
  readonly scalesAt: number;
  /** 0 unless the format is int4. */
  readonly group: Group | 0;
  offset: PackedInt4["offset"];
  /** Only weights in blocks have one. */
  readonly blocks?: BlockType;
}

export interface State {
  readonly kernels: Kernels;
  readonly memory: WebAssembly.Memory;
  readonly arena: Arena;
  readonly places: readonly Place[];
  readonly control: number;
  /** One scratch a thread; the first is the coordinator's. */
  readonly scratches: readonly number[];
  readonly prepared: number;
  readonly preparedBytes: number;
  readonly patches: number;
  readonly ropeTable: number;
  readonly ropeBytes: number;
  /** What the rope table holds now. */
  ropeKey: string;
  /** For loading only, where `prepared` is too small. */
  staging: { readonly at: number; readonly bytes: number };
}

const most = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b), 1);

/** Lays out all tensors and scratch areas and grows the memory over them. */
export function layOut({ kernels, memory }: Loaded, specs: readonly TensorSpec[], threads: number): State {
  const arena = openArena(memory, kernels.heapBase() >>> 0, "model");
  const control = arena.take(kernels.CONTROL_BYTES.value);
  const rows = most(specs.filter((spec) => spec.class !== "weights").map((spec) => spec.rows));
  const cols = most(specs.filter((spec) => spec.class === "weights").map((spec) => spec.cols));
  const images = most(specs.filter((spec) => spec.class === "input").map((spec) => spec.rows * spec.cols));
  const scratches = Array.from({ length: threads }, () => arena.take(kernels.scratchBytes(rows) >>> 0));
  // At least one index a row, for the argmax of all rows.
  const preparedBytes = Math.max(kernels.preparedBytes(cols, rows) >>> 0, rows * 4);
  const prepared = arena.take(preparedBytes);
  const patches = arena.take(images * 4);
  const ropeBytes = rows * WIDEST_HEAD * 4;
  // Behind the table stand the f64 factors of scaled frequencies.
  const ropeTable = arena.take(ropeBytes + (WIDEST_HEAD / 2 + 1) * 8);
  const places = specs.map((spec) => place(spec, kernels, arena));
  arena.grow();
  return {
    ...{ kernels, memory, arena, places, control, scratches, prepared, preparedBytes },
    ...{ patches, ropeTable, ropeBytes, ropeKey: "" },
    staging: { at: 0, bytes: 0 },
  };
}

/** An area of `bytes` bytes that weights pass on their way: that of the kernels' activations, or one at the memory's end. */
export function stagingOf(state: State, bytes: number): number {
  if (state.preparedBytes >= bytes) return state.prepared;
  if (state.staging.bytes < bytes) {
    state.staging = { at: state.arena.take(bytes), bytes };
    state.arena.grow();
  }
  return state.staging.at;
}

function place(spec: TensorSpec, kernels: Kernels, arena: Arena): Place {
  const { format, rows, cols } = spec;
  switch (format) {
    case "f32":
      return { spec, at: arena.take(rows * cols * 4), scalesAt: 0, group: 0, offset: "none8" };
    case "int8": {
      if (spec.class === "kv") {
        // [kvHeads][rows][headDim] codes, [kvHeads][rows] f16 scales: assembly/kernels/kv-int8.ts.
        const at = arena.take(rows * cols);
        return { spec, at, scalesAt: arena.take((rows * cols * 2) / headDimOf(spec)), group: 0, offset: "none8" };
      }
      const at = arena.take(kernels.int8Bytes(rows, cols) >>> 0);
      return { spec, at, scalesAt: arena.take(rows * 4), group: 0, offset: "none8" };
    }
    case "int4-g16":
    case "int4-g32":
    case "int4-g64":
    case "int4-g128": {
      const group = Number(format.slice("int4-g".length)) as Group;
      const offset = spec.offset ?? "none8";
      const at = arena.take(packedInt4Bytes(rows, cols, group, offset));
      return { spec, at, scalesAt: 0, group, offset };
    }
    default: {
      const at = arena.take(packedBlocksBytes(rows, cols, format));
      return { spec, at, scalesAt: 0, group: 0, offset: "none8", blocks: format };
    }
  }
}

/** The place of a tensor; an id outside the table is an error of the op list. */
export function placeOf(state: State, id: TensorId): Place {
  const found = state.places[id];
  if (!found)
    throw new InputError("op list", `tensor ${id}`, "was never allocated", "Allocate the graph's table first");
  return found;
}

export const widthOf = (state: State, id: TensorId): number => placeOf(state, id).spec.cols;

/** Throws InputError when `rows` rows from `row` on do not exist. */
export function checkRows({ name, rows: all }: TensorSpec, row: number, rows: number): void {
  if (row >= 0 && row + rows <= all) return;
  const problem = `has ${all} rows, rows ${row} to ${row + rows - 1} were asked for`;
  throw new InputError(name, "rows", problem, "Shorten the input or allocate a longer context");
}

/** Address of a row of an f32 tensor. Throws InputError when `rows` rows from there do not exist. */
export function rowsAt(state: State, id: TensorId, row: number, rows: number): number {
  const { spec, at } = placeOf(state, id);
  checkRows(spec, row, rows);
  return at + row * spec.cols * 4;
}
