// What does the delay model cost? One decode epoch of LLaVA-1.5-7B's decoder shape (32 layers, int4 g32) under the four
// shipped topologies: finding the misses once, then evaluating each topology. Aim: far under 1 % of the time of a token.

import { openTrafficModel } from "../src/delay/traffic.js";
import { placeTensors } from "../src/placement/place.js";
import { loadDefaultHost, loadTopology, SHIPPED_TOPOLOGIES } from "../src/placement/topology.js";
import { nodePlatform } from "../src/platform/node.js";
import { decoder } from "../tests/epoch/fixture.js";

/** Median ns of a call. */
function medianNs(repeats: number, action: () => void): number {
  const times = Array.from({ length: repeats }, () => {
    const start = process.hrtime.bigint();
    action();
    return Number(process.hrtime.bigint() - start);
  });
  return times.sort((a, b) => a - b)[repeats >> 1];
}

/** Prints the cost of the delay model; returns [record, evaluate under four topologies] in ns an epoch. */
export async function epochSpeed(print: (line: string) => void): Promise<[number, number]> {
  const platform = nodePlatform();
  const model = await openTrafficModel(platform);
  const shape = { hidden: 4096, layers: 32, heads: 32, ffn: 11008, vocab: 32000, context: 512, format: "int4-g32" };
  const { specs, epoch } = decoder({ ...shape, format: "int4-g32" });
  const host = await loadDefaultHost(platform);
  const run = { specs, epochs: [epoch(256, 1)], llcBytes: host.llcBytes, warmPasses: 0 };
  const record = model.record(run);
  const topologies = await Promise.all(SHIPPED_TOPOLOGIES.map((name) => loadTopology(platform, name)));
  const placed = topologies.map((topology) => placeTensors(topology, specs, []));
  const options = { host, threads: 1, measuredNs: null };
  const evaluate = () => placed.map((placement) => model.evaluate(record, placement, options));
  const results = evaluate();
  const recordNs = medianNs(50, () => model.record(run));
  const evaluateNs = medianNs(50, evaluate);
  const tokenNs = results[0].total.high.delay.localNs;
  const share = ((recordNs + evaluateNs) / tokenNs) * 100;
  print(
    `decode epoch of ${run.epochs[0].length} ops: misses ${(recordNs / 1e3).toFixed(0)} us, four topologies ${(evaluateNs / 1e3).toFixed(0)} us`,
  );
  print(`= ${share.toFixed(2)} % of a modelled token of ${(tokenNs / 1e6).toFixed(0)} ms`);
  for (const [i, result] of results.entries()) {
    const { localNs, placedNs } = result.total.high.delay;
    print(
      `  ${topologies[i].name}: ${(placedNs / 1e6).toFixed(1)} ms a token, ${(placedNs / localNs).toFixed(2)} x local`,
    );
  }
  return [recordNs, evaluateNs];
}

if (process.argv[1]?.endsWith("epoch.js")) await epochSpeed(console.log);
