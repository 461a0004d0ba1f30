// The concrete parts of compression on this host: an opened model as a source of tensors, the WebAssembly modules, and forward
// passes over any source. What `compress`, `sweep` and the study are built from.

import { openComparer } from "../../backends/wasm/compare.js";
import { openQuantizer } from "../../backends/wasm/quantizer.js";
import { openRepacker } from "../../backends/wasm/repacker.js";
import { openRounder } from "../../backends/wasm/rounder.js";
import { openWasm, type WasmVariant } from "../../backends/wasm.js";
import { type CompressModule, openCompress } from "../../compress/kernels.js";
import { InputError } from "../../core/errors.js";
import type { FloatsOf, LayerSample, StreamedForward } from "../../core/layers.js";
import type { Model } from "../../core/model.js";
import type { Repacker } from "../../core/packed.js";
import type { LogitComparer, Platform } from "../../core/ports.js";
import { settled } from "../../core/stored.js";
import type { Rounder, WriteSource } from "../../core/write.js";
import { closeModel, openModel } from "../../formats/index.js";
import { writeSource } from "../../formats/write-source.js";
import { holdsQuantized } from "../../model/plan.js";
import { openStreamed } from "../../model/streamed.js";

export interface Engine {
  readonly platform: Platform;
  readonly model: Model;
  /** The model's tensors; see `floatsOf`. */
  readonly source: WriteSource;
  readonly module: CompressModule;
  readonly repacker: Repacker;
  readonly rounder: Rounder;
  readonly comparer: LogitComparer;
  readonly threads: number;
  /** A forward pass over a source, block by block; must be closed. @param longest tokens of the longest sample */
  forward(source: WriteSource, longest: number): Promise<StreamedForward>;
  close(): Promise<void>;
}

export interface EngineOptions {
  /** 0: all of this machine's cores. */
  readonly threads: number;
  /** Start from the values of a checkpoint that is quantized already. */
  readonly dequantize: boolean;
  /** Of the forward pass; default: simd, whose bits are the same on every machine. */
  readonly variant?: WasmVariant;
}

/** Sources of at most so many f32 bytes are kept in memory once read: trials read every tensor many times. */
const KEPT_BYTES = 1.5e9;

/**
 * Opens a model and everything that compression of it needs.
 * @throws InputError for a file that is none, an unknown architecture, or a checkpoint that is quantized already
 */
export async function openEngine(platform: Platform, path: string, options: EngineOptions): Promise<Engine> {
  const model = await openModel(platform, path);
  try {
    if (!options.dequantize && holdsQuantized(model)) {
      const label = [...(model.stored?.values() ?? [])].find(({ name }) => !model.tensors.has(name))?.label;
      const remedy = "Give the unquantized checkpoint, or start from the rounded values with --dequantize";
      throw new InputError(path, "", `is quantized already (${label})`, remedy);
    }
    const threads = options.threads === 0 ? platform.cpuCount : options.threads;
    const repacker = await openRepacker(platform);
    const whole = model.stored ? { ...model, stored: await settled(model.stored) } : model;
    const source = writeSource(whole, { repacker, quantizer: await openQuantizer(platform) });
    const { decoder } = model.config;
    const cols = Math.max(decoder.ffn, decoder.hidden, decoder.heads * decoder.headDim);
    const sizes = { cols, tokens: 256, group: 128 };
    const module = await openCompress(platform, { variant: "simd", threads, ...sizes });
    return {
      ...{ platform, model, source, module, repacker, threads },
      rounder: await openRounder(platform),
      comparer: await openComparer(platform),
      forward: (from, longest) => {
        const openBackend = () => openWasm(platform, { variant: options.variant ?? "simd", threads });
        return openStreamed(from.config, { openBackend, floats: floatsOf(from) }, longest);
      },
      async close() {
        await module.close();
        await closeModel(model);
      },
    };
  } catch (error) {
    await closeModel(model);
    throw error;
  }
}

/** Tensors of a source by name. Throws InputError for a name that it lacks. */
export function floatsOf(source: WriteSource): FloatsOf {
  const byName = new Map(source.tensors.map((tensor) => [tensor.name, tensor]));
  return async (name) => {
    const tensor = byName.get(name);
    if (tensor) return tensor.floats();
    throw new InputError(source.name, name, "the tensor is missing", "Get the whole checkpoint or fix its config");
  };
}

/** The same source with its tensors read once, where it is small enough. */
export function keptInMemory(source: WriteSource): WriteSource {
  const bytes = source.tensors.reduce((sum, { shape }) => sum + 4 * shape.reduce((size, n) => size * n, 1), 0);
  if (bytes > KEPT_BYTES) return source;
  const tensors = source.tensors.map((tensor) => {
    let read: Promise<Float32Array> | null = null;
    return {
      ...tensor,
      floats: () => {
        read ??= tensor.floats();
        return read;
      },
    };
  });
  return { ...source, tensors };
}

/** A source with other values for some tensors. */
export function withValues(source: WriteSource, values: ReadonlyMap<string, Float32Array>): WriteSource {
  const tensors = source.tensors.map((tensor) => {
    const own = values.get(tensor.name);
    return own ? { name: tensor.name, shape: tensor.shape, floats: async () => own } : tensor;
  });
  return { ...source, tensors };
}

/** Tokens of the longest sample. */
export const longestOf = (samples: readonly LayerSample[]): number =>
  Math.max(1, ...samples.map(({ tokens }) => tokens.length));
