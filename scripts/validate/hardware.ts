// `npm run validate -- --hardware [--out FILE] [--docs]`: calibrates this host, writes what it predicts to FILE (default
// .cache/hardware.json) as FILE.predictions.json, then measures every case and writes FILE. At most three minutes.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { machineName, watchOthers } from "../../benchmarks/machine.js";
import { InputError } from "../../src/core/errors.js";
import type { EpochExports } from "../../src/delay/solver.js";
import { nodePlatform } from "../../src/platform/node.js";
import { PLAIN, sectionLines } from "../../src/report/table.js";
import { type HardwareBed, openHardwareBed, POOL_BYTES, STEP_BYTES } from "./hardware-bed.js";
import { calibrateHardware } from "./hardware-calibrate.js";
import { LOADS, type Load, type PairCase, pairCases, victims } from "./hardware-cases.js";
import {
  lowerQuartile,
  measurePair,
  type PairTimes,
  type Piece,
  steady,
  timed,
  withCoRunner,
} from "./hardware-measure.js";
import { type HardwareFigures, loadAt, predictContended, predictPair } from "./hardware-predict.js";
import * as table from "./hardware-table.js";

/** Rounds of 12 near and 12 far passes. */
const ROUNDS = 80;
/** Rounds over all loads, and passes beside one load in a round. */
const CONTENTION_ROUNDS = 20;
const PIECES = 40;

interface Options {
  readonly out: string;
  /** The document whose tables are replaced; null = none. */
  readonly docs: string | null;
}

function optionsOf(args: readonly string[], packageRoot: string): Options {
  const rest = args.filter((arg) => arg !== "--hardware" && arg !== "--docs");
  const at = rest.indexOf("--out");
  if (rest.length !== (at < 0 ? 0 : 2) || (at >= 0 && rest[at + 1] === undefined)) {
    throw new InputError("arguments", rest.join(" "), "are not known", "Use --hardware [--out FILE] [--docs].");
  }
  return {
    out: at < 0 ? join(packageRoot, ".cache", "hardware.json") : (rest[at + 1] as string),
    docs: args.includes("--docs") ? join(packageRoot, "docs", "validation.md") : null,
  };
}

function predictLoad(epoch: EpochExports, figures: HardwareFigures, victim: PairCase, load: Load): table.ContentionRow {
  const { kind, pause } = load;
  if (kind === "compute") return { name: victim.name, kind, pause, loadGBps: 0, slowdown: 1 };
  const taken = loadAt(figures, kind, pause);
  const { slowdown } = predictContended(epoch, figures, victim.demand(figures), taken);
  return { name: victim.name, kind, pause, loadGBps: taken.readGBps + taken.writeGBps, slowdown };
}

/** One program in DRAM alone and beside every load, in turns. */
async function measureContended(bed: HardwareBed, victim: PairCase): Promise<table.MeasuredContention[]> {
  const { bufferBytes, fill, pass } = victim.program;
  const count = Math.floor(POOL_BYTES / bufferBytes);
  fill(bed.pool, count);
  let turn = 0;
  const run = () => {
    pass(bed.pool + turn * bufferBytes);
    turn = (turn + 1) % count;
  };
  const alone: number[] = [];
  const found = LOADS.map(() => [] as Piece[]);
  for (let round = 0; round < CONTENTION_ROUNDS; round++) {
    alone.push(...Array.from({ length: PIECES }, () => timed(bed, run)));
    await withCoRunner(bed, (co) => {
      for (const [i, { kind, pause }] of LOADS.entries()) {
        co.set(kind, pause);
        run();
        found[i]?.push(...co.beside(PIECES, run));
      }
    });
  }
  return LOADS.map(({ kind }, i) => {
    const { ns, stepsPerSecond } = steady(found[i] ?? []);
    const lines = kind === "store" ? 2 : kind === "read" ? 1 : 0;
    return { aloneNs: lowerQuartile(alone), besideNs: ns, loadGBps: (lines * STEP_BYTES * stepsPerSecond) / 1e9 };
  });
}

function write(file: string, value: unknown): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}

/** Calibrates, predicts, measures, prints. Throws InputError for arguments and where memory is short. */
export async function validateHardware(args: readonly string[], packageRoot: string): Promise<void> {
  const { out, docs } = optionsOf(args, packageRoot);
  const from = performance.now();
  const bed = await openHardwareBed(nodePlatform());
  const { instance } = await WebAssembly.instantiate(readFileSync(join(packageRoot, "build", "epoch.wasm")));
  const epoch = instance.exports as unknown as EpochExports;
  const calibrationLoad = watchOthers();
  const figures = await calibrateHardware(bed);
  const [cases, programs] = [pairCases(bed), victims(bed)];
  const predictions: table.HardwarePredictions = {
    ...{ schemaVersion: 1, kind: "hardware-predictions", writtenAt: new Date().toISOString() },
    ...{ machine: machineName(), variant: bed.variant, calibrationLoad: calibrationLoad(), figures },
    pairs: cases.map(({ name, demand }) => ({ name, predicted: predictPair(epoch, figures, demand(figures)) })),
    contention: programs.flatMap((victim) => LOADS.map((load) => predictLoad(epoch, figures, victim, load))),
  };
  write(`${out.replace(/\.json$/, "")}.predictions.json`, predictions);
  console.log(`predictions written after ${((performance.now() - from) / 1000).toFixed(0)} s; measuring`);
  const measuringLoad = watchOthers();
  const pairs: PairTimes[] = cases.map(({ program }) => measurePair(bed, program, ROUNDS));
  const contention: table.MeasuredContention[] = [];
  for (const victim of programs) contention.push(...(await measureContended(bed, victim)));
  const result: table.HardwareResult = {
    ...{ schemaVersion: 1, kind: "hardware-validation", predictions, measuredAt: new Date().toISOString() },
    ...{ seconds: (performance.now() - from) / 1000, measuringLoad: measuringLoad(), pairs, contention },
  };
  write(out, result);
  for (const section of [table.pairSection(result), table.contentionSection(result)]) {
    console.log(`\n${sectionLines(section, PLAIN).join("\n")}`);
  }
  console.log(
    `${result.seconds.toFixed(0)} s; while calibrating ${predictions.calibrationLoad}, then ${result.measuringLoad}`,
  );
  if (docs) writeFileSync(docs, table.withTables(readFileSync(docs, "utf8"), result));
}
