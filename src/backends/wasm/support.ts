// What this engine can do with WebAssembly: which instructions it knows, whether it computes them right, and threads.

import { UnavailableError } from "../../core/errors.js";
import type { Platform } from "../../core/ports.js";
import type { HostName } from "../../core/target.js";
import { type Kernels, loadKernels, type WasmVariant } from "./kernels.js";

/** A module of one function that multiplies two v128. */
const SIMD_MODULE = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0],
  ...[10, 15, 1, 13, 0, 65, 1, 253, 15, 65, 2, 253, 15, 253, 186, 1, 11],
);
/** The same with the relaxed swizzle of two v128 (relaxed SIMD proposal, opcode 0x100). */
const RELAXED_MODULE = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0],
  ...[10, 15, 1, 13, 0, 65, 1, 253, 15, 65, 2, 253, 15, 253, 128, 2, 11],
);

export function knowsInstructions(variant: WasmVariant): boolean {
  if (variant === "scalar") return true;
  return WebAssembly.validate(variant === "simd" ? SIMD_MODULE : RELAXED_MODULE);
}

export function hostOf(platform: Platform): HostName {
  const { name } = platform;
  return name === "bun" || name === "deno" || name === "chromium" || name === "firefox" ? name : "node";
}

/** Why `variant` cannot run on several threads here, or null when it can. */
export function noThreads(platform: Platform, variant: WasmVariant): string | null {
  if (variant === "scalar") return "the scalar build has one thread";
  if (!platform.workers) return "this platform starts no threads";
  if (typeof SharedArrayBuffer === "undefined") return "memory cannot be shared (a page needs cross-origin isolation)";
  return null;
}

/** Bytes that `relaxedProbe` reads and writes: two byte vectors, i32 accumulator, three f32 vectors; then results. */
const PROBE_INPUT = 96;

/**
 * Runs the relaxed instructions that the kernels use, and the accumulating dot, once on an instance that has not run yet:
 * Node 20's baseline compiler drops the accumulator, and only in the first calls.
 * @returns null when all results are right, else what is wrong
 */
export function relaxedFault(kernels: Pick<Kernels, "relaxedProbe">, memory: WebAssembly.Memory, at: number) {
  const bytes = new DataView(memory.buffer, at, PROBE_INPUT + 48);
  for (let i = 0; i < 16; i++) {
    bytes.setInt8(i, 127 - 16 * i);
    bytes.setInt8(16 + i, (7 * i) % 16);
  }
  for (let i = 0; i < 4; i++) {
    bytes.setInt32(32 + 4 * i, 1000 * i - 1500, true);
    bytes.setFloat32(48 + 4 * i, i + 1.5, true);
    bytes.setFloat32(64 + 4 * i, 2 - i, true);
    bytes.setFloat32(80 + 4 * i, 100 * i, true);
  }
  kernels.relaxedProbe(at);
  const product = (i: number) => bytes.getInt8(i) * bytes.getInt8(16 + i);
  for (let i = 0; i < 8; i++) {
    if (bytes.getInt16(96 + 2 * i, true) !== product(2 * i) + product(2 * i + 1)) return "the i16 dot is wrong";
  }
  for (let i = 0; i < 4; i++) {
    const sum = product(4 * i) + product(4 * i + 1) + product(4 * i + 2) + product(4 * i + 3);
    if (bytes.getInt32(112 + 4 * i, true) !== sum + 1000 * i - 1500) return "the accumulating dot is wrong";
    if (bytes.getFloat32(128 + 4 * i, true) !== (i + 1.5) * (2 - i) + 100 * i) return "the multiply-add is wrong";
  }
  return null;
}

/** Throws UnavailableError unless relaxed SIMD is known here and computes right on a fresh instance. */
export async function checkRelaxed(platform: Platform): Promise<void> {
  const remedy = "Use Node 22 or later, or the simd variant";
  if (!knowsInstructions("relaxed")) {
    throw new UnavailableError("WASM variant relaxed", "this engine does not know relaxed SIMD", remedy);
  }
  const { kernels, memory } = await loadKernels(platform, "relaxed");
  const fault = relaxedFault(kernels, memory, (kernels.heapBase() + 255) & ~255);
  if (fault) throw new UnavailableError("WASM variant relaxed", `this engine computes it wrongly (${fault})`, remedy);
}
