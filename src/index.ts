// The public entry for browsers and everything else: nothing here reaches for node: modules. A platform (files, clock,
// threads, the wasm builds) is handed in; src/node.ts adds Node's.

export { openCalibrationMemory } from "./backends/wasm/calibrate.js";
export { openComparer } from "./backends/wasm/compare.js";
export { openQuantizer } from "./backends/wasm/quantizer.js";
export { wasmTargets } from "./backends/wasm/variants.js";
export { openWasm, type WasmBackend, type WasmOptions } from "./backends/wasm.js";
export { webgpuTargets } from "./backends/webgpu/variants.js";
export {
  type AdapterFacts,
  type AdapterKind,
  adapterFacts,
  openWebgpu,
  type Tuning,
  type WebgpuBackend,
  type WebgpuOptions,
} from "./backends/webgpu.js";
export { calibrateHost } from "./cli/parts/calibrate-host.js";
export type * from "./core/calibration.js";
export type * from "./core/config.js";
export type * from "./core/delay.js";
export type * from "./core/epoch.js";
export { InputError, UnavailableError } from "./core/errors.js";
export type * from "./core/host.js";
export type * from "./core/model.js";
export type * from "./core/op.js";
export type * from "./core/packed.js";
export type * from "./core/ports.js";
export type * from "./core/result.js";
export { parseTest, QUANT_NAMES, type QuantName, type Scenario, type Workload } from "./core/scenario.js";
export { type Target, type TargetStatus, targetName } from "./core/target.js";
export type * from "./core/tensor.js";
export type * from "./core/topology.js";
export { weightBytesRead } from "./core/traffic.js";
export type { Figure, FigureRange, FigureSource } from "./core/units.js";
export { openTrafficModel } from "./delay/traffic.js";
export { readFloat32 } from "./formats/convert.js";
export { closeModel, openModel } from "./formats/index.js";
export { answer } from "./model/generate.js";
export { buildGraph, type Graph, type GraphOptions } from "./model/graph.js";
export { type Picture, preprocess } from "./model/image.js";
export { type LoadedModel, type LoadParts, loadModel } from "./model/load.js";
export { planOf, type QuantPlan } from "./model/plan.js";
export { type EpochHook, openSession, type Session } from "./model/session.js";
export { loadSynthetic } from "./model/synthetic.js";
export { parseHost } from "./placement/calibration.js";
export { placeTensors } from "./placement/place.js";
export { loadDefaultHost, loadTopology } from "./placement/topology.js";
export { calibrationSections } from "./report/calibration.js";
export { calibrationPage } from "./report/calibration-page.js";
export { htmlReport } from "./report/html.js";
export { jsonReport } from "./report/json.js";
export { markdownReport } from "./report/markdown.js";
export { tableReport } from "./report/table.js";
export { type BenchParts, runBench } from "./run/bench.js";
export { type CalibrateParts, calibrate } from "./run/calibrate.js";
export { medianInterval, type Summary, summarize } from "./stats/summary.js";
