// What is measured side by side: products of one int4 matrix and runs of a TinyLlama-shaped model. A case names the work,
// its participants (a package on a runtime with so many threads) and how they take turns.

/** One MatMulNBits node: [rows, cols] times `tokens` activations. */
export interface MatmulWork {
  readonly kind: "matmul";
  readonly rows: number;
  readonly cols: number;
  readonly group: 32 | 128;
  readonly tokens: number;
}

/** The Q4_0 GGUF of `layers` layers; a sample of "decode" makes `tokens` tokens, one of "prefill" reads that many. */
export interface ModelWork {
  readonly kind: "decode" | "prefill";
  readonly layers: number;
  readonly tokens: number;
}

export type Work = MatmulWork | ModelWork;

export const CONTENDERS = [
  "nibblemark",
  "onnxruntime-web",
  "onnxruntime-node",
  "wllama-2",
  "wllama-3",
  "node-llama-cpp",
] as const;

export type ContenderName = (typeof CONTENDERS)[number];

export interface Participant {
  readonly contender: ContenderName;
  readonly node: 20 | 24;
  readonly threads: number;
  /** Takes part in every k-th round: what is a hundred times slower need not be timed as often. */
  readonly every: number;
}

export interface Case {
  readonly id: string;
  readonly work: Work;
  readonly participants: readonly Participant[];
  /** Beside a process that keeps core 0 busy. */
  readonly hog: boolean;
}

export const nameOf = ({ contender, node, threads }: Participant): string => `${contender}/${node}/${threads}`;

const one = (contender: ContenderName, node: 20 | 24 = 24, every = 1, threads = 1): Participant => ({
  ...{ contender, node, threads, every },
});

const MATMUL = [
  one("nibblemark"),
  one("onnxruntime-node"),
  one("nibblemark", 20),
  one("onnxruntime-web", 24, 3),
] as const;

function matmul(rows: number, group: 32 | 128, tokens: number): Case {
  const work = { kind: "matmul", rows, cols: 4096, group, tokens } as const;
  return { id: `m${tokens}-${rows}x4096-g${group}`, work, participants: MATMUL, hog: false };
}

function model(kind: "decode" | "prefill", layers: number, tokens: number, every: number): Case {
  const participants = [1, 2].flatMap((threads) => [
    one("nibblemark", 24, 1, threads),
    one("node-llama-cpp", 24, 1, threads),
    one("wllama-2", 24, every, threads),
    one("wllama-3", 24, every, threads),
  ]);
  return { id: `${kind}-${layers}`, work: { kind, layers, tokens }, participants, hog: false };
}

const busy: Case = {
  id: "decode-22-busy",
  work: { kind: "decode", layers: 22, tokens: 4 },
  participants: [
    one("nibblemark"),
    one("nibblemark", 24, 1, 2),
    one("node-llama-cpp"),
    one("node-llama-cpp", 24, 1, 2),
  ],
  hog: true,
};

/** All cases, the most telling first. */
export const CASES: readonly Case[] = [
  matmul(4096, 32, 1),
  matmul(11008, 32, 1),
  matmul(4096, 128, 1),
  matmul(11008, 128, 1),
  matmul(4096, 32, 128),
  matmul(11008, 32, 128),
  matmul(4096, 128, 128),
  model("decode", 22, 4, 4),
  busy,
  model("prefill", 4, 128, 4),
];
