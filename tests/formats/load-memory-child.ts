// A process of its own that loads a model and says how much memory that took at most: node load-memory-child.js PATH prints
// {"weightBytes", "peakBytes"}: the resident set's high-water mark over what it was before the weights.

import { existsSync, readFileSync } from "node:fs";
import { openQuantizer } from "../../src/backends/wasm/quantizer.js";
import { openRepacker } from "../../src/backends/wasm/repacker.js";
import { openWasm } from "../../src/backends/wasm.js";
import { type TensorSpec, tensorBytes } from "../../src/core/op.js";
import { readFloat32 } from "../../src/formats/convert.js";
import { openModel } from "../../src/formats/index.js";
import { loadModel } from "../../src/model/load.js";
import { planOf } from "../../src/model/plan.js";
import { nodePlatform } from "../../src/platform/node.js";

/** Linux counts into getrusage's mark what the parent had before this program was started; /proc does not. */
function highWaterBytes(): number {
  const status = existsSync("/proc/self/status") ? readFileSync("/proc/self/status", "utf8") : "";
  const found = /VmHWM:\s+(\d+) kB/.exec(status);
  return (found ? Number(found[1]) : process.resourceUsage().maxRSS) * 1024;
}

const platform = nodePlatform();
const model = await openModel(platform, process.argv[2] as string);
const backend = await openWasm(platform, { variant: "simd", threads: 1 });
const parts = {
  backend,
  readFloat32,
  quantizer: await openQuantizer(platform),
  repacker: await openRepacker(platform),
};
const plan = planOf("stored", model.stored);
const before = process.memoryUsage.rss();
const { graph } = await loadModel(model, parts, { plan, activations: "f32", context: 16, maxRows: 16, logitRows: 1 });
const peakBytes = highWaterBytes() - before;
const weights = graph.tensors.filter((spec: TensorSpec) => spec.class === "weights");
const weightBytes = weights.reduce((sum, spec) => sum + tensorBytes(spec), 0);
process.stdout.write(JSON.stringify({ weightBytes, peakBytes }));
