// `nibblemark fit`: which plans make a model fit a budget, from its config alone.

import { wasmTargets } from "../backends/wasm/variants.js";
import { FIT_SCHEMES, type FitScheme, fitBytes, KV_FORMS, type KvForm, leastRemoved } from "../compress/budget.js";
import type { ModelConfig } from "../core/config.js";
import { InputError } from "../core/errors.js";
import type { FitPlan, FitReport } from "../core/fit.js";
import type { Platform } from "../core/ports.js";
import { openTrafficModel } from "../delay/traffic.js";
import { readHfSettings } from "../formats/hf-folder.js";
import { closeModel, openModel } from "../formats/index.js";
import { LLAVA_15_LAYERS, llava15 } from "../model/shapes.js";
import { loadHost } from "../placement/calibration.js";
import { loadDefaultHost, loadTopology } from "../placement/topology.js";
import { nodePlatform } from "../platform/node.js";
import { fitSections } from "../report/fit-section.js";
import { withoutDefaults } from "../report/section.js";
import { sectionLines } from "../report/table.js";
import { chooseTargets, fastestOf } from "../run/targets.js";
import type { Command } from "./command.js";
import { byteSize, type Parsed, topologyList, wholeNumber } from "./flags.js";
import { toldCacheBytes } from "./parts/environment.js";
import { isBelow, parseFloor, qualityOf, readMeasured } from "./parts/fit-quality.js";
import { decodeSpeeds, type SpeedParts } from "./parts/fit-speed.js";
import { probe } from "./parts/memory.js";
import { SHIPPED_MODEL } from "./parts/subjects.js";
import { painter } from "./terminal.js";

const fault = (field: string, problem: string, remedy: string) =>
  new InputError("nibblemark fit", field, problem, remedy);

function sizeOf(parsed: Parsed, flag: string, otherwise: string): number {
  const text = parsed.text(flag) ?? otherwise;
  const bytes = byteSize(text);
  if (bytes !== null && bytes > 0) return bytes;
  throw fault(`--${flag}`, `"${text}" is no size`, "Write a size such as 4GiB");
}

/** A bundled shape by name, a folder with a config.json (weights are not needed), or any model file. */
async function configOf(platform: Platform, named: string): Promise<ModelConfig> {
  if (named === "llava-1.5-7b") return llava15(LLAVA_15_LAYERS);
  const path = named === "shipped" ? platform.packagePath(SHIPPED_MODEL) : named;
  if (await platform.exists(`${path}/config.json`)) return (await readHfSettings(platform, path)).config;
  const model = await openModel(platform, path);
  await closeModel(model);
  return model.config;
}

async function speedParts(platform: Platform, parsed: Parsed): Promise<SpeedParts> {
  const names = parsed.on("topology") ? parsed.all("topology").flatMap(topologyList) : ["local", "cxl-1hop"];
  const topologies = await Promise.all(names.map((name) => loadTopology(platform, name)));
  const fallback = await loadDefaultHost(platform);
  const target = fastestOf(chooseTargets("all", await wasmTargets(platform, platform.cpuCount), 0));
  const threads = target?.threads ?? 1;
  const wanted = parsed.text("host") ?? "probe";
  const traffic = await openTrafficModel(platform);
  if (wanted === "default" || !target) return { traffic, host: fallback, threads, topologies };
  const host =
    wanted === "probe"
      ? (await probe(platform, target, fallback, toldCacheBytes())).host
      : await loadHost(platform, wanted);
  return { traffic, host, threads, topologies };
}

async function reportOf(parsed: Parsed): Promise<FitReport> {
  const platform = nodePlatform();
  const [named] = parsed.positionals;
  if (named === undefined) throw fault("MODEL", "is missing", "Name a model, or llava-1.5-7b");
  const floor = parseFloor(parsed.text("min-quality"));
  const budgetBytes = sizeOf(parsed, "budget", "4GiB");
  const workspace = sizeOf(parsed, "workspace", "256MiB");
  const config = await configOf(platform, named);
  const { layers, maxContext } = config.decoder;
  const asked = parsed.text("context");
  if (asked !== undefined && Number(asked) > maxContext) {
    throw fault("--context", `"${asked}" is above this model's limit of ${maxContext} positions`, "Give fewer");
  }
  const context =
    asked === undefined ? Math.min(1024, maxContext) : wholeNumber("fit", "context", asked, 1, maxContext);
  const measured = await readMeasured(platform, parsed.all("report"));
  const speed = await speedParts(platform, parsed);
  const halfBytes = fitBytes(config, layers, FIT_SCHEMES[0], "f16", context, workspace).weights;
  const planOf = (scheme: FitScheme, kv: KvForm): FitPlan => {
    const removed = leastRemoved(config, scheme, kv, context, budgetBytes, workspace);
    const kept = layers - (removed ?? 0);
    const bytes = fitBytes(config, kept, scheme, kv, context, workspace);
    return {
      ...{ scheme: scheme.name, help: scheme.help, kv, removed, layers: kept, bytes },
      saved: 1 - bytes.total / halfBytes,
      tokensPerSecond: removed === null ? {} : decodeSpeeds(config, kept, scheme, kv, context, speed),
      quality: qualityOf(measured, config, kept, scheme),
    };
  };
  const plans = FIT_SCHEMES.flatMap((scheme) => KV_FORMS.map((kv) => planOf(scheme, kv)));
  return {
    ...{ schemaVersion: 1, model: named, allLayers: layers, budgetBytes, context, halfBytes },
    ...{ host: speed.host.name, threads: speed.threads, topologies: speed.topologies.map(({ name }) => name), floor },
    plans: plans.filter(({ quality }) => !isBelow(quality, floor)),
    dropped: plans.filter(({ quality }) => isBelow(quality, floor)),
  };
}

async function run(parsed: Parsed): Promise<number> {
  const format = parsed.text("output") ?? "table";
  if (format !== "table" && format !== "json") throw fault("--output", `"${format}" is unknown`, "Known: table, json");
  const report = await reportOf(parsed);
  const lines =
    format === "json"
      ? [JSON.stringify(report, null, 2), ""]
      : fitSections(report).flatMap((section) => sectionLines(withoutDefaults(section), painter(parsed)));
  process.stdout.write(lines.join("\n"));
  return 0;
}

export const fitCommand: Command = {
  name: "fit",
  summary: "Tells which plans (blocks removed, bits, caches) make a model fit a budget, from its config alone.",
  usage: "MODEL [flags]",
  examples: [
    "fit llava-1.5-7b --budget 4GiB",
    "fit path/to/folder-with-config --budget 2GiB --context 2048 --topology local,cxl-switch",
    "fit llava-1.5-7b --budget 4GiB --min-quality kld=0.1 --report compressed.json",
  ],
  flags: [
    { name: "budget", value: "SIZE", help: "memory for everything (default 4GiB)" },
    { name: "context", value: "N", help: "positions of keys and values (default 1024, or all that a model has)" },
    { name: "workspace", value: "SIZE", help: "activations and scratch (default 256MiB)" },
    {
      name: "min-quality",
      value: "FLOOR",
      help: "kld=0.1, top1=0.9: leaves out plans that a --report shows to be worse",
    },
    { name: "report", value: "FILE", repeat: true, help: "measured quality: what compress -o json printed" },
    { name: "topology", value: "LIST", repeat: true, help: "speed under these (default local,cxl-1hop)" },
    { name: "host", value: "PROFILE", help: "probe (default), default (shipped), or a file as calibrate stores it" },
    { name: "output", short: "o", value: "FORMAT", help: "table or json" },
  ],
  positionals: 1,
  run,
};
