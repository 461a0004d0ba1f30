// Modelled figures are the same bits on every machine, engine and backend: a decode step of LLaVA-1.5-7B's decoder shape on
// the frozen host. They change only when the equation, the frozen profile or a shipped topology is changed on purpose.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { openTrafficModel } from "../../src/delay/traffic.js";
import { placeTensors } from "../../src/placement/place.js";
import { loadDefaultHost, loadTopology } from "../../src/placement/topology.js";
import { nodePlatform } from "../../src/platform/node.js";
import { decoder } from "./fixture.js";

const platform = nodePlatform();
const model = await openTrafficModel(platform);
const host = await loadDefaultHost(platform);
const shape = {
  hidden: 4096,
  layers: 2,
  heads: 32,
  ffn: 11008,
  vocab: 32000,
  context: 512,
  format: "int4-g32",
} as const;
const { specs, epoch } = decoder(shape);
const record = model.record({ specs, epochs: [epoch(256, 1)], llcBytes: host.llcBytes, warmPasses: 1 });

async function placedNs(name: string, rules: string[], threads: number): Promise<number> {
  const placed = placeTensors(await loadTopology(platform, name), specs, rules);
  return model.evaluate(record, placed, { host, threads, measuredNs: null }).total.high.delay.placedNs;
}

const GOLDEN: [topology: string, rules: string[], threads: number, ns: number][] = [
  ["local", [], 1, 25023272.439810187],
  ["local", [], 8, 5057318.357742664],
  ["cxl-1hop", [], 1, 62008118.5302516],
  ["cxl-1hop", [], 16, 6553258.799874978],
  ["cxl-1hop", ["kv=cxl0"], 1, 28690528.72795705],
  ["cxl-1hop", ["weights=interleave(dram:3,cxl0:1)"], 16, 3624701.0185842114],
  ["cxl-switch", [], 1, 76695546.89849864],
  ["cxl-switch", [], 16, 5535933.840876923],
  ["cxl-remote", [], 2, 57347716.219256505],
  ["cxl-remote", ["weights layers 1-1=cxl0"], 1, 57106538.4116728],
];

for (const [name, rules, threads, ns] of GOLDEN) {
  test(`${name} ${rules.join(" ")} ${threads}t`, async () => assert.is(await placedNs(name, rules, threads), ns));
}

test.run();
