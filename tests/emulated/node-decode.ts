// A program for the emulated source: decodes in Node with the WASM kernels over made-up int4 weights, as many tokens as it is told. Its op
// list is that of tests/epoch/fixture.ts, so the traffic of a token can be derived.

import { fileURLToPath } from "node:url";
import { openQuantizer } from "../../src/backends/wasm/quantizer.js";
import { openWasm } from "../../src/backends/wasm.js";
import { nodePlatform } from "../../src/platform/node.js";
import { decoder } from "../epoch/fixture.js";

export const NODE_SHAPE = { hidden: 512, heads: 8, ffn: 1408, layers: 12, vocab: 1024, context: 64 };

/** Path of this program, compiled. */
export const NODE_DECODE = fileURLToPath(import.meta.url);

export const nodeDecoder = () => decoder({ ...NODE_SHAPE, format: "int4-g32" });

export async function decode(tokens: number): Promise<void> {
  const platform = nodePlatform();
  const quantizer = await openQuantizer(platform);
  const backend = await openWasm(platform, { variant: "scalar", threads: 1 });
  const { specs, epoch } = nodeDecoder();
  await backend.allocate(specs);
  for (const { id, class: kind, format, rows, cols } of specs) {
    if (kind !== "weights") continue;
    if (format === "f32")
      await backend.upload(id, { kind: "f32", rows, cols, values: new Float32Array(rows * cols).fill(1) });
    else await backend.upload(id, quantizer.syntheticInt4(id, rows, cols, 32));
  }
  for (let position = 0; position < tokens; position++) await backend.submit(epoch(position, 1));
  await backend.close();
}

if (process.argv[2] === "decode") await decode(Number(process.argv[3]));
