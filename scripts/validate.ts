// `npm run validate [-- POINTS.csv ...]`: how well the loaded-latency model predicts measured curves it has not seen. Without a
// file it takes ../shared/data/cxl_curves.csv beside the project. Files are CSV or Intel MLC text.
// `npm run validate -- --hardware [--out FILE] [--docs]`: how well the epoch equation predicts this machine (validate/hardware.ts).

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { InputError, UnavailableError } from "../src/core/errors.js";
import { parseCurves } from "../src/delay/mlc.js";
import type { EpochExports } from "../src/delay/solver.js";
import { PLAIN, sectionLines } from "../src/report/table.js";
import { curveName, fitAll, leaveOut } from "./validate/curves.js";
import { validateHardware } from "./validate/hardware.js";
import { validationSection } from "./validate/table.js";

const packageRoot = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const asked = process.argv.slice(2);
const beside = join(packageRoot, "..", "shared", "data", "cxl_curves.csv");
const isHardware = asked.includes("--hardware");
const files = asked.length > 0 ? asked : existsSync(beside) ? [beside] : [];
if (!isHardware && (files.length === 0 || asked.some((name) => name.startsWith("--")))) {
  console.error(
    "usage: npm run validate -- POINTS.csv ... (columns path,threads,mlc_traffic,pattern,inject_delay,latency_ns,bandwidth_gbps, or MLC text), or npm run validate -- --hardware [--out FILE] [--docs]",
  );
  process.exit(2);
}
async function validateCurves(): Promise<void> {
  const raws = files.flatMap((file) => parseCurves(file, readFileSync(file, "utf8")));
  const { instance } = await WebAssembly.instantiate(readFileSync(join(packageRoot, "build", "epoch.wasm")));
  const { fitted, rejected } = fitAll(raws);
  const dropped = fitted.flatMap(({ reduced }) => reduced.dropped);
  const count = (why: string) => dropped.filter((one) => one.why === why).length;
  const bent = fitted.filter(({ reduced }) => reduced.dropped.some(({ why }) => why === "bends back")).length;
  console.log(`${raws.length} curves, ${raws.reduce((sum, { points }) => sum + points.length, 0)} points`);
  console.log(
    `dropped: ${count("bends back")} points of ${bent} curves bend back, ${count("cached")} under the path's idle latency`,
  );
  for (const raw of rejected) console.log(`rejected: ${curveName(raw)} (most of its latencies are a cache's)`);
  const scored = leaveOut(instance.exports as unknown as EpochExports, raws);
  console.log(`\n${sectionLines(validationSection(scored), PLAIN).join("\n")}`);
}

try {
  if (isHardware) await validateHardware(asked, packageRoot);
  else await validateCurves();
} catch (error) {
  if (!(error instanceof InputError || error instanceof UnavailableError)) throw error;
  console.error(error.message);
  process.exitCode = error instanceof InputError ? 2 : 3;
}
