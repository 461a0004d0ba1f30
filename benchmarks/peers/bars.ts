// What must be reached, row by row, and where each figure comes from. "Faster" peers are taken round by round.

import { type CaseData, type Figure, rateOf, ratioOf } from "./analysis.js";

export interface Bar {
  readonly label: string;
  readonly case: string;
  /** At least; at most where `most`. */
  readonly aim: number;
  readonly most?: true;
  readonly unit: "x" | "GOPS" | "rel. L2";
  readonly measure: (data: CaseData) => Figure;
}

const OURS = "nibblemark/24/1";
const NODE20 = "nibblemark/20/1";
const WEB = ["onnxruntime-web/24/1:acc0", "onnxruntime-web/24/1:acc4"];
const NATIVE = "onnxruntime-node/24/1";

const against =
  (over: string, ...under: readonly string[]) =>
  (data: CaseData) =>
    ratioOf(data, [over], under);

function gemv(rows: number, group: 32 | 128): Bar[] {
  const id = `m1-${rows}x4096-g${group}`;
  const bar = (label: string, aim: number, measure: Bar["measure"]): Bar => ({
    ...{ label: `GEMV ${rows}x4096 g${group}, ${label}`, case: id, aim, unit: "x", measure },
  });
  const reads = [
    bar("int8, of one-stream read", 1.1, against(`${OURS}:int8`, `${OURS}:r1`)),
    bar("int8, of eight-stream read", group === 32 ? 0.8 : 0.7, against(`${OURS}:int8`, `${OURS}:r8`)),
  ];
  const native = bar("int8, over onnxruntime-node level 4", 1.4, against(`${OURS}:int8`, `${NATIVE}:acc4`));
  if (group === 128) return [native, ...reads];
  return [
    bar("int8, over onnxruntime-web", 100, against(`${OURS}:int8`, ...WEB)),
    native,
    ...reads,
    bar("int8 on Node 20, of one-stream read", 0.8, against(`${NODE20}:int8`, `${NODE20}:r1`)),
    bar("f32 grade, over onnxruntime-web", 60, against(`${OURS}:f32`, ...WEB)),
    bar("f32 grade, over onnxruntime-node level 0", 1.3, against(`${OURS}:f32`, `${NATIVE}:acc0`)),
  ];
}

function gops(key: string): Bar["measure"] {
  return (data) => {
    const { work } = data.task;
    const scale = work.kind === "matmul" ? 2 * work.rows * work.cols * work.tokens : 0;
    const { median, low, high, ...rest } = rateOf(data, key);
    return { ...rest, median: median * scale, low: low * scale, high: high * scale };
  };
}

function prefill(rows: number, group: 32 | 128): Bar[] {
  const id = `m128-${rows}x4096-g${group}`;
  const label = `prefill M=128 ${rows}x4096 g${group}`;
  return [
    { label: `${label}, int8`, case: id, aim: 80, unit: "GOPS", measure: gops(`${OURS}:int8`) },
    {
      ...{ label: `${label}, int8, over onnxruntime-node level 4`, case: id, aim: 0.9, unit: "x" },
      measure: against(`${OURS}:int8`, `${NATIVE}:acc4`),
    },
    {
      ...{ label: `${label}, f32 grade, over onnxruntime-web`, case: id, aim: 3.5, unit: "x" },
      measure: against(`${OURS}:f32`, ...WEB),
    },
  ];
}

function model(id: string, label: string, [wasm, native]: readonly [number, number]): Bar[] {
  return [1, 2].flatMap((threads): Bar[] => {
    const key = (contender: string) => `${contender}/24/${threads}:run`;
    const name = `TinyLlama shape, ${label}, ${threads} thread${threads > 1 ? "s" : ""}`;
    const wllama = against(key("nibblemark"), key("wllama-2"), key("wllama-3"));
    const llama = against(key("nibblemark"), key("node-llama-cpp"));
    return [
      { label: `${name}, over the faster wllama`, case: id, aim: wasm, unit: "x", measure: wllama },
      { label: `${name}, over node-llama-cpp`, case: id, aim: native, unit: "x", measure: llama },
    ];
  });
}

const twoOverOne = against("nibblemark/24/2:run", "nibblemark/24/1:run");

function error(tokens: number, arm: "int8" | "f32", aim: number): Bar {
  const measure = ({ errors }: CaseData): Figure => {
    const value = errors.get(`${OURS}:${arm}`) ?? Number.NaN;
    return { count: Number.isNaN(value) ? 0 : 1, median: value, low: value, high: value, quiet: true };
  };
  const label = `${arm === "f32" ? "f32 grade" : "int8 per group of 32"}, M=${tokens}, error against float64`;
  return { label, case: `m${tokens}-4096x4096-g32`, aim, most: true, unit: "rel. L2", measure };
}

export const BARS: readonly Bar[] = [
  ...gemv(4096, 32),
  ...gemv(11008, 32),
  ...gemv(4096, 128),
  ...gemv(11008, 128),
  ...prefill(4096, 32),
  ...prefill(11008, 32),
  ...prefill(4096, 128),
  ...model("decode-22", "decode", [8, 1.5]),
  ...model("prefill-4", "prefill 128", [15, 0.7]),
  { label: "decode, two threads over one", case: "decode-22", aim: 1.8, unit: "x", measure: twoOverOne },
  {
    ...{ label: "decode, two threads over one, one core taken", case: "decode-22-busy", aim: 0.95, unit: "x" },
    measure: twoOverOne,
  },
  error(1, "f32", 3e-7),
  error(128, "f32", 3e-7),
  error(1, "int8", 9e-3),
  error(128, "int8", 9e-3),
];
