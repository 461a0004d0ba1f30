// The public entry for pages: everything of index.ts, the platform of a page and what it knows of its browser, and the parts
// that the demo page is put together from.

export { openRepacker } from "./backends/wasm/repacker.js";
export { allTargets, openTarget } from "./cli/parts/backends.js";
export { dryBackend } from "./cli/parts/dry.js";
export { runScenario, type ScenarioParts } from "./cli/parts/run-scenario.js";
export { SHIPPED_MODEL } from "./cli/parts/subjects.js";
export { modelledNs, predictedNs } from "./core/delay.js";
export { GIB } from "./core/units.js";
export * from "./index.js";
export { generateTokens, streamText } from "./model/generate.js";
export { activationsOf, holdsQuantized } from "./model/plan.js";
export { promptTokens } from "./model/prompt.js";
export { LLAVA_15_LAYERS, llava15Decoder } from "./model/shapes.js";
export { SHIPPED_TOPOLOGIES } from "./placement/topology.js";
export { browserName, browserPlatform, browserVersion } from "./platform/browser.js";
export { blobFiles } from "./platform/sources.js";
export type { Section } from "./report/section.js";
export { sections } from "./report/sections.js";
export { epochRecorder, type RecordedEpoch, spin } from "./run/epochs.js";
export type { Control, Progress } from "./run/parts.js";
export { chooseTargets, fastestOf } from "./run/targets.js";
