// A checkpoint as bytes: "NMTRAIN1", u32 length of a JSON header, the header, then parameters and both moments as
// little-endian f32. Restoring it continues a run with the same bits as if it had not stopped.

import { InputError } from "../core/errors.js";
import type { LlavaConfig } from "./parameters.js";
import type { TrainState } from "./state.js";

/** Where a run stands: the step of the stage that comes next, and the work done so far in all stages. */
export interface Progress {
  readonly stage: number;
  readonly step: number;
  /** Decoder positions and rows of the vision tower, for 6 x parameters x positions. */
  readonly positions: number;
  readonly visionRows: number;
  /** 6 x parameters x positions, decoder and vision tower (with projector) apart, in FLOP. */
  readonly decoderFlop: number;
  readonly visionFlop: number;
}

export interface CheckpointHeader {
  readonly config: LlavaConfig;
  /** What must be equal for a run to be continued: seed, steps, rates, data options. */
  readonly plan: Readonly<Record<string, number | string>>;
  readonly progress: Progress;
  /** [name, offset in floats, count] of each parameter. */
  readonly parameters: readonly (readonly [string, number, number])[];
  readonly floats: number;
}

export interface Checkpoint {
  readonly header: CheckpointHeader;
  /** Each [header.floats]. */
  readonly values: Float32Array;
  readonly firstMoments: Float32Array;
  readonly secondMoments: Float32Array;
}

const magic = "NMTRAIN1";
const prefixBytes = magic.length + 4;

export function encodeCheckpoint(
  state: TrainState,
  config: LlavaConfig,
  plan: CheckpointHeader["plan"],
  progress: Progress,
): Uint8Array {
  const { arena, table } = state;
  const parameters = table.parameters.map(({ name, offset, count }) => [name, offset, count] as const);
  const header: CheckpointHeader = { config, plan, progress, parameters, floats: table.floats };
  const json = JSON.stringify(header);
  const padded = new TextEncoder().encode(json.padEnd(json.length + ((4 - ((prefixBytes + json.length) % 4)) % 4)));
  const bytes = new Uint8Array(prefixBytes + padded.length + 3 * table.floats * 4);
  bytes.set(new TextEncoder().encode(magic));
  new DataView(bytes.buffer).setUint32(magic.length, padded.length, true);
  bytes.set(padded, prefixBytes);
  [state.values, state.firstMoments, state.secondMoments].forEach((address, i) => {
    const part = new Float32Array(bytes.buffer, prefixBytes + padded.length + i * table.floats * 4, table.floats);
    part.set(arena.floats(address, table.floats));
  });
  return bytes;
}

/**
 * @param source the file's name, for errors
 * @throws InputError when the bytes are no whole checkpoint
 */
export function decodeCheckpoint(bytes: Uint8Array, source: string): Checkpoint {
  const remedy = "Give a folder that `npm run train` wrote, or start anew without --resume.";
  if (bytes.length < prefixBytes || new TextDecoder().decode(bytes.subarray(0, magic.length)) !== magic) {
    throw new InputError(source, "", "is no training checkpoint", remedy);
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(magic.length, true);
  const start = prefixBytes + length;
  if (start > bytes.length) throw new InputError(source, "header", "is longer than the file", remedy);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(prefixBytes, start))) as CheckpointHeader;
  if (bytes.length !== start + 3 * header.floats * 4)
    throw new InputError(source, "floats", "does not fit the file's size", remedy);
  const [values, firstMoments, secondMoments] = [0, 1, 2].map((i) => {
    const from = start + i * header.floats * 4;
    // Uint8Array's own slice copies; that of a Buffer, which Node's readFileSync gives, would be a view of the whole file.
    return new Float32Array(Uint8Array.prototype.slice.call(bytes, from, from + header.floats * 4).buffer);
  });
  return { header, values, firstMoments, secondMoments };
}

/** Puts a checkpoint into a state of the same table. */
export function restore(state: TrainState, checkpoint: Checkpoint, source: string): void {
  const { table, arena } = state;
  const isSame =
    checkpoint.header.floats === table.floats &&
    table.parameters.every(({ name, offset }, i) => {
      const [ownName, ownOffset] = checkpoint.header.parameters[i] ?? [];
      return ownName === name && ownOffset === offset;
    });
  if (!isSame)
    throw new InputError(source, "parameters", "belong to another model", "Use the configuration it was trained with.");
  arena.floats(state.values, table.floats).set(checkpoint.values);
  arena.floats(state.firstMoments, table.floats).set(checkpoint.firstMoments);
  arena.floats(state.secondMoments, table.floats).set(checkpoint.secondMoments);
}
