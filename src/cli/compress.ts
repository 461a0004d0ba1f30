// `nibblemark compress`: prunes, heals and quantizes a model, and tells what each stage cost.

import { CRITERIA } from "../compress/criteria.js";
import { PRESETS } from "../compress/prune.js";
import { parseScheme, type QuantizePlan } from "../compress/scheme.js";
import { SHAPES } from "../compress/select.js";
import { InputError } from "../core/errors.js";
import { nodePlatform } from "../platform/node.js";
import { chartPage } from "../report/chart-page.js";
import { compressionCharts, compressionSections } from "../report/compression-section.js";
import { sectionLines } from "../report/table.js";
import type { Command } from "./command.js";
import { type CompressRequest, FORMATS, HEALERS, type SftOptions } from "./compress/request.js";
import { checkUsed } from "./compress/unused.js";
import { converse, INTERRUPTED } from "./conversation.js";
import { commaList, type Flag, type Parsed, plainNumber, wholeNumber } from "./flags.js";
import { suggest } from "./nearest.js";
import { checkWritable, htmlAssets } from "./outputs.js";
import { packageVersion } from "./parts/environment.js";
import { SHIPPED_MODEL } from "./parts/subjects.js";
import { painter, progressBar } from "./terminal.js";

const CRITERION_NAMES = [...CRITERIA.map(({ name }) => name), ...Object.keys(PRESETS)];

const FLAGS: readonly Flag[] = [
  { name: "prune", value: "N|LIST", help: "blocks to remove: how many (4), or which (layers:3,6)" },
  {
    name: "criterion",
    value: "NAME",
    help: `how they are chosen: ${CRITERION_NAMES.join(", ")} (default healed-swap)`,
  },
  { name: "compare", value: "LIST", help: "other criteria to score beside it, or `all`" },
  { name: "shape", value: "NAME", help: "free (default), contiguous or spaced, for every criterion that can" },
  { name: "protect", value: "LIST", help: "blocks that stay, or `none` (default: the first two and the last)" },
  { name: "search-budget", value: "N", help: "most sets that healed-swap tries (default 40)" },
  { name: "search-samples", value: "N", help: "most samples that removals are tried on (default: all)" },
  { name: "adapter", value: "FOLDER", help: "a LoRA adapter, for lora-delta" },
  { name: "general", value: "FILE", help: "general samples, for activation-shift" },
  { name: "heal", value: "LIST", help: `${HEALERS.join(", ")}; several run in turn, a form of replaceme first` },
  {
    name: "ridge",
    value: "X",
    help: "of replaceme as published: so many means of the diagonal are added to it (default: ours)",
  },
  { name: "heal-data", value: "FILE", help: "samples of sft (default: those of --calib)" },
  { name: "steps", value: "N", help: "of sft (default 300)" },
  { name: "rate", value: "X", help: "of sft (default 3e-4; sft-lora 2e-3)" },
  { name: "rank", value: "N", help: "of sft-lora (default 8)" },
  { name: "distill-hidden", value: "X", help: "weight of the distance to the unpruned hidden states (default 0)" },
  { name: "distill-logits", value: "X", help: "weight of the divergence from the unpruned logits (default 0)" },
  { name: "patience", value: "N", help: "evaluations (every 20 steps) without progress before sft ends (default 5)" },
  { name: "seed", value: "N", help: "of sft (default 1)" },
  {
    name: "quant",
    value: "SCHEME",
    help: "METHOD-intBITS-GROUP[-sym], such as awq-int4-g128, gptq-int4-g64, hqq-int4-g64, rtn-int8-row; f16",
  },
  { name: "quant-embedding", value: "SCHEME", help: "of token embedding and head (rtn or hqq)" },
  { name: "quant-vision", value: "SCHEME", help: "of the vision tower (rtn or hqq)" },
  { name: "quant-projector", value: "SCHEME", help: "of the projector (rtn or hqq)" },
  {
    name: "kv",
    value: "NAME",
    help: "f32 (default) or int8: how the result keeps past keys and values where it is run",
  },
  { name: "mean-bits", value: "X", help: "mixed 4 and 8 bits of the decoder by sensitivity, at most X bits a weight" },
  { name: "no-act-order", help: "gptq: columns from left to right" },
  { name: "duo", help: "awq: AutoAWQ's scales, which weigh the weights too" },
  { name: "balance", help: "awq: image, prompt, answer and text tokens weigh the same in the scales" },
  { name: "format", value: "NAME", help: "hf (AutoAWQ safetensors, default), mlx (any mixture of 4 and 8 bits), gguf" },
  {
    name: "calib",
    value: "FILE",
    help: "JSON Lines of image or tile, prompt, answer, or text (default: calib/ of the model)",
  },
  { name: "max-tokens", value: "N", help: "longest sample (default 256)" },
  { name: "threads", value: "N", help: "default: all cores" },
  { name: "dequantize", help: "start from the values of a checkpoint that is quantized already" },
  { name: "no-measure", help: "skip quality and speed of the stages" },
  { name: "export-html", value: "FILE", help: "also write the report as a page with plots" },
  { name: "output", short: "o", value: "FORMAT", help: "table or json" },
  { name: "force", help: "replace OUT" },
  { name: "restart", help: "forget the unfinished work of an earlier call" },
  { name: "yes", short: "y", help: "go on where sft is estimated above 24 h" },
];

const COMMAND = "compress";

function choice<Name extends string>(flag: string, text: string, names: readonly Name[]): Name {
  const found = names.find((name) => name === text);
  if (found) return found;
  throw new InputError(`nibblemark ${COMMAND}`, `--${flag}`, `"${text}" is unknown`, suggest(text, names));
}

const layersOf = (flag: string, text: string): number[] =>
  commaList(text).map((part) => wholeNumber(COMMAND, flag, part, 0, 4096));

function pruneOf(text: string | undefined): CompressRequest["prune"] {
  if (text === undefined) return null;
  if (text.startsWith("layers:")) {
    const layers = layersOf("prune", text.slice("layers:".length));
    if (layers.length > 0) return { layers };
    throw new InputError(
      `nibblemark ${COMMAND}`,
      "--prune",
      `"${text}" names no block`,
      "Write for example layers:3,6",
    );
  }
  return { count: wholeNumber(COMMAND, "prune", text, 1, 4096) };
}

function planOf(parsed: Parsed): QuantizePlan {
  const scheme = (flag: string) => parseScheme(`--${flag}`, parsed.text(flag) ?? "f16");
  const mean = parsed.text("mean-bits");
  const plan = {
    decoder: scheme("quant"),
    embedding: scheme("quant-embedding"),
    vision: scheme("quant-vision"),
    projector: scheme("quant-projector"),
    meanBits: mean === undefined ? null : plainNumber(COMMAND, "mean-bits", mean, 4, 16),
  };
  if (plan.meanBits !== null && !plan.decoder) {
    throw new InputError(
      `nibblemark ${COMMAND}`,
      "--mean-bits",
      "needs --quant",
      "Give for example --quant awq-int4-g64",
    );
  }
  return plan;
}

function sftOf(parsed: Parsed, heal: readonly string[]): SftOptions {
  const whole = (flag: string, otherwise: number) => {
    const text = parsed.text(flag);
    return text === undefined ? otherwise : wholeNumber(COMMAND, flag, text, 1, 1e6);
  };
  const share = (flag: string) => plainNumber(COMMAND, flag, parsed.text(flag) ?? "0", 0, 1000);
  const rate = parsed.text("rate") ?? (heal.includes("sft-lora") ? "2e-3" : "3e-4");
  return {
    steps: whole("steps", 300),
    rate: plainNumber(COMMAND, "rate", rate, 1e-8, 1),
    rank: whole("rank", 8),
    hiddenWeight: share("distill-hidden"),
    logitWeight: share("distill-logits"),
    patience: whole("patience", 5),
    seed: whole("seed", 1),
  };
}

/** What the flags ask for. Throws InputError for values that cannot be. */
export async function requestOf(parsed: Parsed): Promise<CompressRequest> {
  const [given, output] = parsed.positionals;
  if (given === undefined || output === undefined) {
    const remedy = "Write nibblemark compress IN OUT --quant awq-int4-g128";
    throw new InputError(`nibblemark ${COMMAND}`, given === undefined ? "IN" : "OUT", "is missing", remedy);
  }
  const platform = nodePlatform();
  const input = given === "shipped" ? platform.packagePath(SHIPPED_MODEL) : given.replace(/(.)[/\\]+$/, "$1");
  const own = `${input}/calib/calib.jsonl`;
  const prune = pruneOf(parsed.text("prune"));
  const heal = commaList(parsed.text("heal") ?? "").filter((name) => name !== "none");
  const criterion = choice("criterion", parsed.text("criterion") ?? "healed-swap", CRITERION_NAMES);
  const compare = parsed.text("compare") ?? "";
  const cheap = CRITERIA.map(({ name }) => name).filter((name) => name !== "lora-delta" && name !== "activation-shift");
  const protect = parsed.text("protect");
  const number = (flag: string, otherwise: number, least: number, most: number) => {
    const text = parsed.text(flag);
    return text === undefined ? otherwise : wholeNumber(COMMAND, flag, text, least, most);
  };
  const [ridge, kv] = [parsed.text("ridge"), parsed.text("kv")];
  return {
    kind: "compress",
    ...{ input, output: output.replace(/(.)[/\\]+$/, "$1"), prune, criterion },
    force: parsed.on("force"),
    restart: parsed.on("restart"),
    compare: compare === "all" ? cheap : commaList(compare).map((name) => choice("compare", name, CRITERION_NAMES)),
    shape: choice("shape", parsed.text("shape") ?? "free", SHAPES),
    protect: protect === undefined ? null : protect === "none" ? [] : layersOf("protect", protect),
    heal: heal.map((name) => choice("heal", name, HEALERS)),
    ridge: ridge === undefined ? null : plainNumber(COMMAND, "ridge", ridge, 0, 1000),
    sft: sftOf(parsed, heal),
    plan: planOf(parsed),
    actOrder: !parsed.on("no-act-order"),
    duo: parsed.on("duo"),
    balanced: parsed.on("balance"),
    kv: kv === undefined ? null : choice("kv", kv, ["f32", "int8"] as const),
    format: choice("format", parsed.text("format") ?? "hf", FORMATS),
    calib: parsed.text("calib") ?? ((await platform.exists(own)) ? own : null),
    healData: parsed.text("heal-data") ?? null,
    general: parsed.text("general") ?? null,
    adapter: parsed.text("adapter") ?? null,
    searchBudget: number("search-budget", 40, 1, 1e6),
    searchSamples: parsed.text("search-samples") === undefined ? null : number("search-samples", 0, 2, 1e6),
    longest: number("max-tokens", 256, 8, 65536),
    threads: number("threads", 0, 0, 256),
    dequantize: parsed.on("dequantize"),
    unmeasured: parsed.on("no-measure"),
    yes: parsed.on("yes"),
    tool: `nibblemark ${packageVersion()}`,
  };
}

async function run(parsed: Parsed): Promise<number> {
  const format = choice("output", parsed.text("output") ?? "table", ["table", "json"] as const);
  const request = await requestOf(parsed);
  checkUsed(request, (flag) => parsed.text(flag) !== undefined);
  const html = parsed.text("export-html");
  if (html !== undefined) await checkWritable("--export-html", html);
  const bar = progressBar(parsed.on("quiet"));
  const event = await converse(request, bar, (line) => {
    bar.clear();
    if (!parsed.on("quiet")) process.stderr.write(`${line}\n`);
  });
  if (event.kind !== "compressed") throw new Error(`unexpected answer ${event.kind}`);
  const { report } = event;
  if (!report) return INTERRUPTED;
  const sections = compressionSections(report);
  if (html !== undefined) {
    const lines = [report.plan, `${report.seconds.toFixed(0)} s`, ...report.warnings];
    const page = { title: `nibblemark compress ${report.input}`, lines, charts: compressionCharts(report), sections };
    await nodePlatform().writeWhole(html, chartPage(page, await htmlAssets()));
  }
  if (format === "json") process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else {
    const lines = sections.flatMap((section) => sectionLines(section, painter(parsed)));
    const peak = report.peakBytes === null ? "" : `, peak memory ${Math.round(report.peakBytes / 2 ** 20)} MiB`;
    const made = request.format === "gguf" ? `${report.output}/model.gguf` : report.output;
    process.stdout.write(`${lines.join("\n")}\n${made}: written in ${report.seconds.toFixed(0)} s${peak}\n`);
  }
  return 0;
}

export const compressCommand: Command = {
  name: COMMAND,
  summary: "Prunes, heals and quantizes a model, and tells what each stage cost.",
  usage: "IN OUT [flags]",
  examples: [
    "compress shipped out --prune 2 --heal replaceme --quant awq-int4-g128",
    "compress path/to/llava out --prune 8 --criterion derm-llava --heal replaceme --quant awq-int4-g128 --calib data.jsonl",
    "compress shipped out --prune 3 --compare all --heal replaceme,sft --distill-hidden 1 --export-html report.html",
    "compress shipped out --quant gptq-int4-g64 --quant-embedding int8 --quant-vision int8 --kv int8 --format mlx",
  ],
  flags: FLAGS,
  positionals: 2,
  run,
};
