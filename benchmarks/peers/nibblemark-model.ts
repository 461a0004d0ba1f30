// The whole model in contender nibblemark: the GGUF as it is (Q4_0 stays 4-bit), int8 activations, greedy decoding.

import { openQuantizer } from "../../src/backends/wasm/quantizer.js";
import { openRepacker } from "../../src/backends/wasm/repacker.js";
import { openWasm, type WasmVariant } from "../../src/backends/wasm.js";
import type { Platform } from "../../src/core/ports.js";
import { readFloat32 } from "../../src/formats/convert.js";
import { closeModel, openModel } from "../../src/formats/index.js";
import { loadModel } from "../../src/model/load.js";
import { planOf } from "../../src/model/plan.js";
import { openSession } from "../../src/model/session.js";
import type { ModelWork } from "./case.js";
import type { Arm, Opened } from "./contender.js";
import { CONTEXT, promptTokens, tinyLlama } from "./tinyllama.js";

export async function openModelArms(
  platform: Platform,
  variant: WasmVariant,
  work: ModelWork,
  threads: number,
): Promise<Omit<Opened, "about">> {
  const model = await openModel(platform, await tinyLlama(work.layers));
  const backend = await openWasm(platform, { variant, threads });
  const quantizer = await openQuantizer(platform);
  const repacker = await openRepacker(platform);
  const plan = planOf("stored", model.stored);
  const options = { plan, activations: "int8", context: CONTEXT, maxRows: 128, logitRows: 1 } as const;
  const session = openSession(await loadModel(model, { backend, readFloat32, quantizer, repacker }, options));
  const prompt = promptTokens(work.tokens);
  let token = 300;
  const run = async () => {
    if (work.kind === "prefill" || session.position() + work.tokens > CONTEXT) session.rewind();
    if (work.kind === "prefill") await session.next(prompt);
    else for (let i = 0; i < work.tokens; i++) token = await session.next([token]);
    return { amount: work.tokens };
  };
  const arm: Arm = { run, error: async () => null };
  const close = async () => {
    await backend.close();
    await closeModel(model);
  };
  return { arms: { run: arm }, close };
}
