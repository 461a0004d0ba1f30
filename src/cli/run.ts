// `nibblemark run`: asks a model about a picture, or lets it continue a text, and streams what it says.

import { InputError } from "../core/errors.js";
import { QUANT_NAMES, type QuantName } from "../core/scenario.js";
import { digits, timeText } from "../report/format.js";
import type { Command } from "./command.js";
import { converse } from "./conversation.js";
import { type Flag, type Parsed, plainNumber, wholeNumber } from "./flags.js";
import { suggest } from "./nearest.js";
import type { AnswerFacts, AnswerRequest } from "./protocol.js";
import { progressBar } from "./terminal.js";

const FLAGS: readonly Flag[] = [
  {
    name: "prompt",
    short: "p",
    value: "TEXT",
    help: "the question, or the text to continue (<image> places the picture)",
  },
  { name: "image", short: "i", value: "FILE", help: "a PNG or JPEG picture" },
  {
    name: "quant",
    value: "NAME",
    help: "f32, int8, int4-g32, int4-g128, stored (default: stored where the file is quantized, else int8)",
  },
  { name: "chat", help: "put the prompt into the model's chat template" },
  { name: "activations", value: "NAME", help: "int8 (default) or f32 activations in matrix products" },
  {
    name: "kv",
    value: "NAME",
    help: "f32 or int8 keys and values of past positions (default: as the model says, else f32)",
  },
  {
    name: "target",
    value: "NAME",
    help: "a target as doctor prints them, or webgpu (default: the fastest of the CPU)",
  },
  { name: "max-tokens", short: "n", value: "N", help: "longest answer (default 64)" },
  { name: "temperature", value: "T", help: "0 (default) is greedy" },
  { name: "top-p", value: "P", help: "draw from the smallest set of tokens with this share (default 0.9)" },
  { name: "seed", value: "N", help: "seed of the draws (default 1)" },
];

function choice<Name extends string>(flag: string, text: string, names: readonly Name[]): Name {
  const found = names.find((name) => name === text);
  if (found) return found;
  throw new InputError("nibblemark run", `--${flag}`, `"${text}" is unknown`, suggest(text, names));
}

function requestOf(parsed: Parsed): AnswerRequest {
  const [path = "shipped"] = parsed.positionals;
  const prompt = parsed.text("prompt");
  if (prompt === undefined) {
    throw new InputError("nibblemark run", "--prompt", "is missing", 'Write --prompt "how many sevens?"');
  }
  const number = (flag: string, fallback: string, most: number) =>
    plainNumber("run", flag, parsed.text(flag) ?? fallback, 0, most);
  const [quant, kv] = [parsed.text("quant"), parsed.text("kv")];
  const topP = number("top-p", "0.9", 1);
  if (topP === 0)
    throw new InputError("nibblemark run", "--top-p", "0 leaves no token", "Use --temperature 0 for greedy");
  return {
    kind: "answer",
    model: path === "shipped" ? { kind: "shipped" } : { kind: "file", path },
    prompt,
    image: parsed.text("image") ?? null,
    quant: quant === undefined ? null : choice<QuantName>("quant", quant, QUANT_NAMES),
    chat: parsed.on("chat"),
    activations: choice("activations", parsed.text("activations") ?? "int8", ["f32", "int8"] as const),
    kv: kv === undefined ? null : choice("kv", kv, ["f32", "int8"] as const),
    target: parsed.text("target") ?? null,
    maxTokens: wholeNumber("run", "max-tokens", parsed.text("max-tokens") ?? "64", 1, 1_000_000),
    temperature: number("temperature", "0", 100),
    topP,
    seed: wholeNumber("run", "seed", parsed.text("seed") ?? "1", 0, 2 ** 32 - 1),
  };
}

function speedLine({ target, promptTokens, answerTokens, firstTokenNs, decodeNs }: AnswerFacts): string {
  const rate = answerTokens > 1 ? `, ${digits((answerTokens - 1) / (decodeNs / 1e9))} t/s after it` : "";
  return `${target}: ${promptTokens} tokens of prompt, first token after ${timeText(firstTokenNs)}${rate}\n`;
}

async function run(parsed: Parsed): Promise<number> {
  const request = requestOf(parsed);
  const event = await converse(request, progressBar(parsed.on("quiet")), (text) => process.stdout.write(text));
  if (event.kind !== "answered") throw new Error(`unexpected answer ${event.kind}`);
  process.stdout.write("\n");
  if (event.facts.note !== null) process.stderr.write(`note: ${event.facts.note}\n`);
  if (!parsed.on("quiet")) process.stderr.write(speedLine(event.facts));
  return 0;
}

export const runCommand: Command = {
  name: "run",
  summary: "Asks a model about a picture, or lets it continue a text, and streams the answer.",
  usage: "[MODEL] --prompt TEXT [flags]",
  examples: [
    'run --image picture.png --prompt "what color is the shape?"',
    'run --prompt "Call me" --max-tokens 40 --temperature 0.8 --seed 7',
    'run --target webgpu --image picture.png --prompt "how many sevens are there?"',
    "run path/to/model --quant int4-g32 --prompt 'Once upon a time'",
  ],
  flags: FLAGS,
  positionals: 1,
  run,
};
