// Contenders wllama-2 and wllama-3 (@wllama/wllama 2.4 and 3.8): llama.cpp compiled to WebAssembly, in Node. Version 2 is
// timed around decode() alone, version 3 by the timings of its own server code: the kinder way for both.

import { openAsBlob } from "node:fs";
import { actAsPage } from "./browser-worker.js";
import type { ContenderName, ModelWork, Work } from "./case.js";
import type { Arm, Opened } from "./contender.js";
import { importPeer, peerFolder } from "./folders.js";
import { CONTEXT, promptTokens, tinyLlama } from "./tinyllama.js";

interface Timings {
  readonly prompt_n: number;
  readonly prompt_ms: number;
  readonly predicted_n: number;
  readonly predicted_ms: number;
}

interface Wllama {
  loadModel(blobs: readonly Blob[], config: object): Promise<void>;
  isMultithread(): boolean;
  decode(tokens: readonly number[], options: object): Promise<{ nPast: number }>;
  kvClear(): Promise<void>;
  createCompletion(options: object): Promise<{ readonly timings: Timings }>;
  exit(): Promise<void>;
}

interface Package {
  readonly Wllama: { new (paths: object, config: object): Wllama; getLibllamaVersion(): string };
}

const silent = { debug() {}, log() {}, warn() {}, error: console.error };

export async function open(work: Work, threads: number, name: ContenderName): Promise<Opened> {
  if (work.kind === "matmul") throw new Error("wllama runs model cases");
  actAsPage();
  const { Wllama } = (await importPeer(name, "@wllama/wllama/esm/index.js")) as Package;
  const at = `${peerFolder(name)}/node_modules/@wllama/wllama/esm`;
  const builds = { "single-thread/wllama.wasm": `${at}/single-thread/wllama.wasm` };
  const paths = { ...builds, "multi-thread/wllama.wasm": `${at}/multi-thread/wllama.wasm` };
  const newer = name === "wllama-3";
  const wllama = new Wllama(newer ? { default: `${at}/wasm/wllama.wasm` } : paths, {
    logger: silent,
    suppressNativeLog: true,
    // Nothing is downloaded: a store of downloads, for which Node has no place, is not needed.
    cacheManager: {},
  });
  const size = { n_ctx: CONTEXT, n_batch: 128, n_ubatch: 128, n_threads: threads, n_gpu_layers: 0, n_parallel: 1 };
  await wllama.loadModel([await openAsBlob(await tinyLlama(work.layers))], { ...size, warmup: false });
  if (wllama.isMultithread() !== threads > 1) throw new Error(`${name} does not run on ${threads} threads`);
  const arm = newer ? completionArm(wllama, work) : decodeArm(wllama, work);
  return {
    about: `${name}, llama.cpp ${Wllama.getLibllamaVersion()}`,
    arms: { run: arm },
    close: () => wllama.exit(),
  };
}

function decodeArm(wllama: Wllama, work: ModelWork): Arm {
  const prompt = promptTokens(work.tokens);
  let past = 0;
  const run = async () => {
    if (work.kind === "prefill" || past + work.tokens > CONTEXT) await wllama.kvClear();
    if (work.kind === "prefill") await wllama.decode(prompt, {});
    else for (const token of prompt) ({ nPast: past } = await wllama.decode([token], {}));
    return { amount: work.tokens };
  };
  return { run, error: async () => null };
}

/** The vocabulary's words do not join, so that a prompt of n letters is n tokens and a few of the start. */
function completionArm(wllama: Wllama, work: ModelWork): Arm {
  const letters = work.kind === "prefill" ? work.tokens - 4 : 1;
  let turn = 0;
  const run = async () => {
    const first = String.fromCharCode(97 + (turn++ % 26));
    const prompt = first + "therainofspain".repeat(10).slice(0, letters - 1);
    const max_tokens = work.kind === "prefill" ? 1 : work.tokens;
    const options = { prompt, max_tokens, temperature: 0, cache_prompt: false, ignore_eos: true };
    const { timings } = await wllama.createCompletion(options);
    return work.kind === "prefill"
      ? { amount: timings.prompt_n, ns: timings.prompt_ms * 1e6 }
      : { amount: timings.predicted_n, ns: timings.predicted_ms * 1e6 };
  };
  return { run, error: async () => null };
}
