// What onnxruntime-web and onnxruntime-node share: sessions of a few MatMulNBits nodes over one input, at accuracy level
// 0 (f32 activations) and 4 (int8 activations), used in turn.

import type { MatmulWork } from "./case.js";
import type { Arm } from "./contender.js";
import { errorOf, seededInput, seededMatrix } from "./matrix.js";
import { setsASample } from "./onnx-model.js";

interface Tensor {
  readonly data: Float32Array;
}

/** The part of onnxruntime-common's session that is used here. */
export interface Session {
  run(feeds: Record<string, Tensor>): Promise<Record<string, Tensor>>;
  release(): Promise<void>;
}

export interface Runtime {
  readonly Tensor: new (type: "float32", data: Float32Array, dims: readonly number[]) => Tensor;
}

/** Arms of sessions that `open` makes: `sets` sessions a level, `nodes` products each. */
export async function onnxArms(
  { Tensor }: Runtime,
  work: MatmulWork,
  { sets, nodes }: { readonly sets: number; readonly nodes: number },
  open: (accuracy: 0 | 4, set: number) => Promise<Session>,
): Promise<{ arms: Record<string, Arm>; close(): Promise<void> }> {
  const x = seededInput(work);
  const feeds = { A: new Tensor("float32", x, [work.tokens, work.cols]) };
  const turns = setsASample(work, sets);
  const all: Session[] = [];
  const arms: Record<string, Arm> = {};
  for (const accuracy of [0, 4] as const) {
    const sessions: Session[] = [];
    for (let set = 0; set < sets; set++) sessions.push(await open(accuracy, set));
    all.push(...sessions);
    let turn = 0;
    const product = () => sessions[turn++ % sets].run(feeds);
    arms[`acc${accuracy}`] = {
      run: async () => {
        for (let i = 0; i < turns; i++) await product();
        return { amount: turns * nodes };
      },
      error: async () => {
        const sum = (await product()).Y.data;
        return errorOf(
          seededMatrix(work),
          x,
          sum.map((value) => value / nodes),
        );
      },
    };
  }
  const close = async () => {
    for (const session of all) await session.release();
  };
  return { arms, close };
}
