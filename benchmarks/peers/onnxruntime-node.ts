// Contender onnxruntime-node: the native library, weights rotating over more memory than any cache holds.

import { writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Work } from "./case.js";
import type { Opened } from "./contender.js";
import { requirePeer } from "./folders.js";
import { onnxBytes, sampleNodes, sampleSets, writeData } from "./onnx-model.js";
import { onnxArms, type Runtime, type Session } from "./onnxruntime.js";

interface Native extends Runtime {
  readonly InferenceSession: { create(path: string, options: object): Promise<Session> };
  readonly env: { readonly versions: { readonly node?: string } };
}

export async function open(work: Work, threads: number): Promise<Opened> {
  if (work.kind !== "matmul") throw new Error("onnxruntime-node runs matmul cases");
  const ort = requirePeer("onnxruntime-node", "onnxruntime-node") as Native;
  const [nodes, sets] = [sampleNodes(work), sampleSets(work)];
  const data = await writeData(work, nodes * sets);
  const options = { intraOpNumThreads: threads, interOpNumThreads: 1, executionMode: "sequential" };
  const { arms, close } = await onnxArms(ort, work, { sets, nodes }, (accuracy, set) => {
    const path = join(dirname(data), `${basename(data)}.m${work.tokens}-acc${accuracy}-${set}.onnx`);
    writeFileSync(path, onnxBytes(work, { accuracy, nodes, first: set * nodes, data: basename(data) }));
    return ort.InferenceSession.create(path, options);
  });
  return { about: `onnxruntime-node ${ort.env.versions.node ?? ""}`, arms, close };
}
