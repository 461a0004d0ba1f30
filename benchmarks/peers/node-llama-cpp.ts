// Contender node-llama-cpp: native llama.cpp with the CPU backend that the package brings.

import type { Work } from "./case.js";
import type { Opened } from "./contender.js";
import { importPeer } from "./folders.js";
import { CONTEXT, promptTokens, tinyLlama } from "./tinyllama.js";

interface Sequence {
  readonly nextTokenIndex: number;
  evaluateWithoutGeneratingNewTokens(tokens: number[]): Promise<void>;
  evaluate(tokens: number[], options: { temperature: number }): AsyncGenerator<number>;
  clearHistory(): Promise<void>;
}

interface Package {
  getLlama(options: object): Promise<{
    readonly systemInfo: string;
    loadModel(options: object): Promise<{
      createContext(options: object): Promise<{ getSequence(): Sequence }>;
    }>;
    dispose(): Promise<void>;
  }>;
}

export async function open(work: Work, threads: number): Promise<Opened> {
  if (work.kind === "matmul") throw new Error("node-llama-cpp runs model cases");
  const { getLlama } = (await importPeer("node-llama-cpp", "node-llama-cpp/dist/index.js")) as Package;
  const llama = await getLlama({
    build: "never",
    skipDownload: true,
    gpu: false,
    logLevel: "error",
    maxThreads: threads,
  });
  const model = await llama.loadModel({ modelPath: await tinyLlama(work.layers) });
  const context = await model.createContext({ contextSize: CONTEXT, batchSize: 128, threads });
  const sequence = context.getSequence();
  const prompt = promptTokens(work.tokens);
  let token = 300;
  const run = async () => {
    if (work.kind === "prefill" || sequence.nextTokenIndex + work.tokens > CONTEXT) await sequence.clearHistory();
    if (work.kind === "prefill") {
      await sequence.evaluateWithoutGeneratingNewTokens(prompt);
      return { amount: work.tokens };
    }
    let made = 0;
    for await (const next of sequence.evaluate([token], { temperature: 0 })) {
      token = next;
      if (++made === work.tokens) break;
    }
    return { amount: made };
  };
  return {
    about: `node-llama-cpp, ${llama.systemInfo.replace(/\s+/g, " ").trim()}`,
    arms: { run: { run, error: async () => null } },
    close: () => llama.dispose(),
  };
}
