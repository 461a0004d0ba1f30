// One submission as data: dispatches and copies are noted first and encoded together (encode.ts). Only what
// `output` ops ask for is read back.

import type { Heap, Held } from "./memory.js";
import type { Kernel, KernelSpec, KernelStore } from "./shaders.js";

/** A buffer; "data" and "readback" get theirs when all is noted and their sizes are known. */
export type Place = Held | "data" | "readback";

export interface Dispatch {
  readonly kind: "dispatch";
  readonly kernel: Kernel;
  /** Of group 1, in order. */
  readonly buffers: readonly Place[];
  /** Words of the kernel's Params. */
  readonly params: readonly number[];
  readonly groups: number;
}

export interface Copy {
  readonly kind: "copy";
  readonly from: Place;
  readonly at: number;
  readonly to: Place;
  readonly toAt: number;
  readonly bytes: number;
}

export interface Output {
  /** Where it begins in what is read back, and its length in numbers. */
  readonly at: number;
  readonly length: number;
  readonly as: "values" | "argmax";
}

export interface Recording {
  readonly commands: (Dispatch | Copy)[];
  readonly outputs: Output[];
  /** Tokens and frequencies, which kernels read as "data". */
  readonly data: number[];
  readbackBytes: number;
  /** What lies in the buffer of int8 activations now. */
  prepared: string;
  /** Where frequencies of rotations were noted. */
  readonly turns: Map<string, number>;
}

/** What lasts from submission to submission. */
export interface Store {
  readonly device: GPUDevice;
  readonly kernels: KernelStore;
  readonly heap: Heap;
  readonly scratches: Map<string, Held>;
  readonly bindGroups: Map<string, GPUBindGroup>;
  readonly maxGroups: number;
  readonly maxBinding: number;
}

export function startRecording(): Recording {
  return { commands: [], outputs: [], data: [], readbackBytes: 0, prepared: "", turns: new Map() };
}

/** A buffer that grows: what it held is lost when it does. */
export function scratchOf({ scratches, heap }: Store, name: string, bytes: number, usage?: number): Held {
  const found = scratches.get(name);
  if (found && found.bytes >= bytes) return found;
  const grown = heap.take(Math.max(bytes, 2 * (found?.bytes ?? 0)), name, usage);
  scratches.set(name, grown);
  return grown;
}

/** Notes words for the kernels and gives their place. */
export function note(recording: Recording, words: readonly number[]): number {
  const at = recording.data.length;
  recording.data.push(...words);
  return at;
}

/** f32 bits of a size. */
export function f32Bits(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0] as number;
}

/** Notes a dispatch. An input that is the output too is read from a copy: WebGPU lets no dispatch have both. */
export function dispatch(
  store: Store,
  recording: Recording,
  spec: KernelSpec,
  buffers: readonly Place[],
  params: readonly number[],
  groups: number,
): void {
  if (groups === 0) return;
  const kernel = store.kernels.get(spec);
  const written = new Set(buffers.filter((_, i) => kernel.writes[i]));
  const separate = buffers.map((held, i) => {
    if (typeof held === "string" || kernel.writes[i] || !written.has(held)) return held;
    const copy = scratchOf(store, `copy ${i}`, held.bytes);
    recording.commands.push({ kind: "copy", from: held, at: 0, to: copy, toAt: 0, bytes: held.bytes });
    return copy;
  });
  recording.commands.push({ kind: "dispatch", kernel, buffers: separate, params, groups });
}

/** Notes that a range is read back. */
export function readBack(recording: Recording, from: Held, at: number, length: number, as: Output["as"]): void {
  const bytes = length * 4;
  recording.commands.push({ kind: "copy", from, at, to: "readback", toAt: recording.readbackBytes, bytes });
  recording.outputs.push({ at: recording.readbackBytes, length, as });
  recording.readbackBytes += bytes;
}
