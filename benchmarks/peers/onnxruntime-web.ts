// Contender onnxruntime-web: its WebAssembly build in Node. At a hundredth of the memory's speed it need not rotate.

import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { pathToFileURL } from "node:url";
import type { Work } from "./case.js";
import type { Opened } from "./contender.js";
import { importPeer, peerFolder } from "./folders.js";
import { onnxBytes, writeData } from "./onnx-model.js";
import { onnxArms, type Runtime, type Session } from "./onnxruntime.js";

interface Web extends Runtime {
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<Session> };
  readonly env: {
    readonly versions: { readonly web?: string };
    readonly wasm: { numThreads: number; wasmPaths: string };
  };
}

export async function open(work: Work, threads: number): Promise<Opened> {
  if (work.kind !== "matmul") throw new Error("onnxruntime-web runs matmul cases");
  const ort = (await importPeer("onnxruntime-web", "onnxruntime-web/dist/ort.node.min.mjs")) as Web;
  ort.env.wasm.numThreads = threads;
  ort.env.wasm.wasmPaths = `${pathToFileURL(peerFolder("onnxruntime-web")).href}/node_modules/onnxruntime-web/dist/`;
  const path = await writeData(work, 1);
  const name = basename(path);
  const externalData = [{ path: name, data: new Uint8Array(readFileSync(path)) }];
  const { arms, close } = await onnxArms(ort, work, { sets: 1, nodes: 1 }, (accuracy) =>
    ort.InferenceSession.create(onnxBytes(work, { accuracy, nodes: 1, first: 0, data: name }), {
      executionProviders: ["wasm"],
      externalData,
    }),
  );
  return { about: `onnxruntime-web ${ort.env.versions.web ?? ""}`, arms, close };
}
