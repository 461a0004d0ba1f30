// Every reader's fuzzer by name: what `npm run fuzz -- NAME` and the short run in `npm test` take.

import type { Fuzzer } from "./fuzzer.js";
import { ggufFuzzer } from "./gguf.js";
import { hfFuzzers } from "./hf.js";
import { kldFuzzer } from "./kld.js";
import { llama2cFuzzer } from "./llama2c.js";
import { mmprojFuzzer } from "./mmproj.js";
import { onnxFuzzer } from "./onnx.js";

export const FUZZERS: Readonly<Record<string, Fuzzer>> = {
  gguf: ggufFuzzer,
  mmproj: mmprojFuzzer,
  ...hfFuzzers,
  onnx: onnxFuzzer,
  llama2c: llama2cFuzzer,
  kld: kldFuzzer,
};
