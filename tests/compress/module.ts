// The compression module for tests: every build that there is, and the X and W of compression.md's worked examples.

import { type CompressModule, openCompress } from "../../src/compress/kernels.js";
import { nodePlatform } from "../../src/platform/node.js";

export const builds = ["scalar", "simd", "threads"] as const;

export function openBuild(build: (typeof builds)[number] = "simd", cols = 256): Promise<CompressModule> {
  const variant = build === "scalar" ? "scalar" : "simd";
  return openCompress(nodePlatform(), { variant, threads: build === "threads" ? 2 : 1, cols, tokens: 64, group: 128 });
}

/** X [16, 8] of the AWQ and GPTQ examples. */
export const exampleX = Float32Array.from({ length: 128 }, (_, i) => {
  const [t, c] = [Math.floor(i / 8), i % 8];
  return ((((7 * t + 3 * c + t * c) % 11) - 5) / 4) * [1, 1, 4, 1, 1, 2.5, 1, 1][c];
});

/** W [4, 8] of the same. */
export const exampleW = Float32Array.from(
  { length: 32 },
  (_, i) => 0.5 * Math.sin(0.9 * Math.floor(i / 8) + 1.7 * (i % 8) + 0.5),
);

export function near(actual: number, expected: number, relative: number): boolean {
  return Math.abs(actual - expected) <= relative * Math.max(1e-12, Math.abs(expected));
}

/** A small linear congruential generator: floats in [-1, 1). */
export function noise(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2147483648 - 1;
  };
}
