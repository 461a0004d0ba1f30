// What does the delay model cost? One decode epoch of LLaVA-1.5-7B's decoder shape (32 layers, int4 g32) under the four
// shipped topologies: finding the misses once, then evaluating each topology. Aim: far under 1 % of the time of a token.

import type { Platform } from "../src/core/ports.js";
import { openTrafficModel } from "../src/delay/traffic.js";
import { placeTensors } from "../src/placement/place.js";
import { loadDefaultHost, loadTopology, SHIPPED_TOPOLOGIES } from "../src/placement/topology.js";
import { decoder } from "../tests/epoch/fixture.js";
import { epochBatch } from "./epoch-batch.js";

/** Median ns of a call. */
function medianNs(platform: Platform, rounds: number, action: () => void): number {
  const times = Array.from({ length: rounds }, () => {
    const start = platform.clock.nowNs();
    action();
    return platform.clock.nowNs() - start;
  });
  return times.sort((a, b) => a - b)[rounds >> 1];
}

/** Prints what the misses and the four topologies cost beside a modelled token, and the token's time under each. */
export async function epoch(platform: Platform, rounds: number): Promise<void> {
  const model = await openTrafficModel(platform);
  const host = await loadDefaultHost(platform);
  const llava = { hidden: 4096, layers: 32, heads: 32, ffn: 11008, vocab: 32000, context: 512 };
  const shape = decoder({ ...llava, format: "int4-g32" });
  const { specs } = shape;
  const run = { specs, epochs: [shape.epoch(256, 1)], llcBytes: host.llcBytes, warmPasses: 0 };
  const record = model.record(run);
  const topologies = await Promise.all(SHIPPED_TOPOLOGIES.map((name) => loadTopology(platform, name)));
  const placed = topologies.map((topology) => placeTensors(topology, specs, []));
  const options = { host, threads: 1, measuredNs: null };
  const evaluate = () => placed.map((placement) => model.evaluate(record, placement, options));
  const results = evaluate();
  const recordUs = medianNs(platform, rounds, () => model.record(run)) / 1e3;
  const evaluateUs = medianNs(platform, rounds, evaluate) / 1e3;
  const tokenMs = results[0].total.high.delay.localNs / 1e6;
  const share = (recordUs + evaluateUs) / tokenMs / 10;
  console.log(`delay model, one decode epoch of the 7B shape (${run.epochs[0].length} ops), medians of ${rounds}:`);
  console.log(`misses ${recordUs.toFixed(0)} us, four topologies ${evaluateUs.toFixed(0)} us`);
  console.log(`= ${share.toFixed(2)} % of a modelled token of ${tokenMs.toFixed(0)} ms`);
  for (const [i, { total }] of results.entries()) {
    const { localNs, placedNs } = total.high.delay;
    const ratio = (placedNs / localNs).toFixed(2);
    console.log(`  ${topologies[i].name}: ${(placedNs / 1e6).toFixed(1)} ms a token, ${ratio} x local`);
  }
  await epochBatch(platform, rounds);
}
