// Flags that change a scenario: the default one, or one from a file. A flag wins over the file.

import { InputError } from "../core/errors.js";
import type { ModelRef, QuantName, Scenario, Workload } from "../core/scenario.js";
import { BENCH_HOSTS } from "../hosts/hosts.js";
import { LEAST_SAMPLES } from "../stats/compare.js";
import { byteSize, commaList, type Flag, type Parsed, topologyList, wholeNumber } from "./flags.js";
import { checkScenario, parseScenario } from "./scenario-schema.js";

/** Layers of the 7B shape whose int4 weights, with the output matrix, make about 0.5 GB. */
const SYNTHETIC_LAYERS = 4;

const SHIPPED: Workload = {
  model: { kind: "shipped" },
  quants: ["f32", "int8", "int4-g32"],
  activations: "int8",
  tests: ["vision", "pp64", "tg16", "ttft16"],
  targets: "all",
};

const SYNTHETIC: Workload = {
  model: { kind: "synthetic", shape: "llava-1.5-7b", layers: SYNTHETIC_LAYERS },
  quants: ["int4-g32"],
  activations: "int8",
  tests: ["pp16", "tg8"],
  targets: "fastest",
};

const SYNTHETIC_LACKS: readonly string[] = ["f32", "int8", "stored"] satisfies readonly QuantName[];

/** What `nibblemark bench` does without arguments. */
export const DEFAULT_SCENARIO: Scenario = {
  schemaVersion: 1,
  workloads: [SHIPPED, SYNTHETIC],
  topologies: ["local", "cxl-1hop", "cxl-switch", "cxl-remote"],
  placement: [],
  llc: "host",
  delay: "traffic",
  host: "probe",
  // What compare needs to tell anything.
  rounds: LEAST_SAMPLES,
  warmups: 1,
  threads: 0,
  seed: 1,
  quality: true,
  spin: false,
};

export const SCENARIO_FLAGS: readonly Flag[] = [
  { name: "scenario", value: "FILE", help: "a scenario as JSON (- reads stdin); flags win over it" },
  { name: "print-scenario", help: "print the scenario and stop" },
  { name: "model", short: "m", value: "PATH", help: "a model folder or file (default: the shipped model)" },
  { name: "shape", value: "NAME", help: "synthetic weights in the shapes of llava-1.5-7b" },
  { name: "layers", value: "N", help: "layers of the synthetic shape (default 4, about 0.5 GB)" },
  {
    name: "quant",
    value: "LIST",
    repeat: true,
    help: "f32, int8, int4-g32, int4-g128, stored (as the file has it: the default where it is quantized)",
  },
  { name: "activations", value: "NAME", help: "f32 or int8 activations in matrix products" },
  {
    name: "kv",
    value: "NAME",
    help: "f32 or int8 keys and values of past positions (default: as the model says, else f32)",
  },
  { name: "test", short: "t", value: "LIST", repeat: true, help: "vision, ppN, tgN, tgN@dM, ttftN" },
  { name: "target", value: "LIST", repeat: true, help: "all, fastest, or names as doctor prints them (wasm-simd/2t)" },
  {
    name: "targets",
    value: "LIST",
    repeat: true,
    help: "runtimes and browsers that take turns: all, or of node, node22, node24, bun, deno, chromium, firefox",
  },
  {
    name: "topology",
    value: "LIST",
    repeat: true,
    help: 'local, cxl-1hop, cxl-switch, cxl-remote, topology files, Newick trees: "(1,(2,3)); latency 200,250 ..."',
  },
  {
    name: "placement",
    value: "RULES",
    repeat: true,
    help: "weights=cxl0, kv=interleave(dram:3,cxl0:1), layers 4-7=cxl0",
  },
  { name: "llc", value: "SIZE", help: "last-level cache: host, none or a size such as 16MiB" },
  { name: "delay", value: "NAME", help: "traffic, or stall or camp where this machine counts their events (traffic)" },
  { name: "camp", value: "FILE", help: "for --delay camp: microbenchmarks, or a fit that calibrate --camp stored" },
  {
    name: "host",
    value: "PROFILE",
    help: "of predicted figures: probe, default (shipped), or a file as calibrate stores it",
  },
  {
    name: "rounds",
    short: "r",
    value: "N",
    help: `timed rounds; each runs every arm once (default ${LEAST_SAMPLES}: fewer are too few for compare)`,
  },
  { name: "warmups", short: "w", value: "N", help: "untimed rounds before them (default 1)" },
  { name: "threads", value: "N", help: "most threads a target may use (0: as many as help)" },
  { name: "seed", value: "N", help: "seed of synthetic weights and inputs" },
  { name: "quality", help: "measure quality too (the default)" },
  { name: "no-quality", help: "speed and memory only" },
  { name: "spin", help: "also run really slower by the modelled delay" },
];

function modelOf(parsed: Parsed): ModelRef | null {
  const path = parsed.text("model") ?? parsed.positionals[0];
  const shape = parsed.text("shape");
  if (path !== undefined && shape !== undefined) {
    throw new InputError("nibblemark bench", "--shape", "given beside a model", "Give a model or a shape, not both");
  }
  if (parsed.on("layers") && shape === undefined) {
    throw new InputError("nibblemark bench", "--layers", "given without --shape", "Add --shape llava-1.5-7b");
  }
  if (shape !== undefined) {
    if (shape !== "llava-1.5-7b") {
      throw new InputError("nibblemark bench", "--shape", `"${shape}" is unknown`, "Known: llava-1.5-7b");
    }
    const layers = wholeNumber("bench", "layers", parsed.text("layers") ?? String(SYNTHETIC_LAYERS), 1, 32);
    return { kind: "synthetic", shape, layers };
  }
  if (path === undefined) return null;
  return path === "shipped" ? { kind: "shipped" } : { kind: "file", path };
}

/** A flag's values as one list, or null when it was not given. */
function list(parsed: Parsed, name: string, split = commaList): string[] | null {
  if (!parsed.on(name)) return null;
  return parsed.all(name).flatMap(split);
}

function changeWorkloads(workloads: readonly Workload[], parsed: Parsed): readonly Workload[] {
  const model = modelOf(parsed);
  const chosen = model
    ? [{ ...(model.kind === "synthetic" ? SYNTHETIC : { ...SHIPPED, quants: ["int8", "int4-g32"] as const }), model }]
    : workloads;
  const quants = list(parsed, "quant") as QuantName[] | null;
  const targets = list(parsed, "target");
  const only = targets?.length === 1 ? targets[0] : null;
  const changed = chosen.map((workload) => ({
    model: workload.model,
    quants: quants ? fitting(workload.model, quants, model !== null) : workload.quants,
    activations: (parsed.text("activations") as Workload["activations"] | undefined) ?? workload.activations,
    ...kvOf(parsed, workload),
    tests: list(parsed, "test") ?? workload.tests,
    targets: only === "all" || only === "fastest" ? only : (targets ?? workload.targets),
  }));
  return quants?.length ? changed.filter((workload) => workload.quants.length > 0) : changed;
}

/** The key stands only where something was asked for, so that scenarios without it stay as they are. */
function kvOf(parsed: Parsed, { kv }: Workload): Pick<Workload, "kv"> {
  const wanted = (parsed.text("kv") as Workload["kv"]) ?? kv;
  return wanted === undefined ? {} : { kv: wanted };
}

/** As kvOf: the key stands only where it was asked for. */
function hostsOf(parsed: Parsed, { hosts }: Scenario): Pick<Scenario, "hosts"> {
  const named = list(parsed, "targets");
  const known: readonly string[] = ["all", ...BENCH_HOSTS];
  for (const name of named ?? []) {
    if (known.includes(name)) continue;
    throw new InputError("nibblemark bench", "--targets", `"${name}" is unknown`, `Known: ${known.join(", ")}`);
  }
  const wanted = named?.includes("all") ? [...BENCH_HOSTS] : (named ?? hosts);
  return wanted === undefined ? {} : { hosts: [...new Set(wanted)] };
}

/** Formats of a workload. Where the user did not ask for the synthetic shape, one that it lacks is no fault of theirs. */
function fitting({ kind }: ModelRef, quants: readonly QuantName[], named: boolean): readonly QuantName[] {
  return named || kind !== "synthetic" ? quants : quants.filter((name) => !SYNTHETIC_LACKS.includes(name));
}

function llcOf(text: string | undefined, before: Scenario["llc"]): Scenario["llc"] {
  if (text === undefined) return before;
  if (text === "host" || text === "none") return text;
  const bytes = byteSize(text);
  if (bytes !== null && bytes > 0) return bytes;
  throw new InputError("nibblemark bench", "--llc", `"${text}" is no size`, "Write host, none or a size such as 16MiB");
}

/** The scenario that the flags ask for. `fileText` is the content of --scenario, read by the caller. */
export function scenarioOf(parsed: Parsed, fileText: string | null): Scenario {
  const source = parsed.text("scenario") ?? "";
  const base = fileText === null ? DEFAULT_SCENARIO : parseScenario(source, fileText, DEFAULT_SCENARIO);
  const count = (name: "rounds" | "warmups" | "threads" | "seed", least: number, most: number): number => {
    const text = parsed.text(name);
    return text === undefined ? base[name] : wholeNumber("bench", name, text, least, most);
  };
  if (parsed.on("quality") && parsed.on("no-quality")) {
    throw new InputError("nibblemark bench", "--no-quality", "given beside --quality", "Give one of them");
  }
  const changed = {
    ...base,
    workloads: changeWorkloads(base.workloads, parsed),
    topologies: list(parsed, "topology", topologyList) ?? base.topologies,
    placement: list(parsed, "placement") ?? base.placement,
    llc: llcOf(parsed.text("llc"), base.llc),
    delay: parsed.text("delay") ?? base.delay,
    ...(parsed.text("camp") === undefined ? {} : { camp: parsed.text("camp") }),
    host: parsed.text("host") ?? base.host,
    rounds: count("rounds", 1, 10_000),
    warmups: count("warmups", 0, 1000),
    threads: count("threads", 0, 256),
    seed: count("seed", 0, 2 ** 32 - 1),
    quality: parsed.on("quality") || (!parsed.on("no-quality") && base.quality),
    spin: parsed.on("spin") || base.spin,
    ...hostsOf(parsed, base),
  };
  return checkScenario("nibblemark bench", changed);
}
