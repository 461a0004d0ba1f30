// Raw loaded-latency measurements as they are: Intel MLC's text output, or CSV with a header of the columns of a
// point. Nothing is dropped or repaired here; src/delay/curves.ts does that by rule.

import { InputError } from "../core/errors.js";

/** One line of a measurement, as printed; figures may be absurd. */
export interface RawPoint {
  /** MLC's pause between requests: the smaller, the more load. */
  readonly injectDelay: number;
  readonly latencyNs: number;
  readonly bandwidthGBps: number;
}

export interface RawCurve {
  readonly source: string;
  readonly path: string;
  readonly threads: string;
  /** MLC's name of the mix, as W2. */
  readonly traffic: string;
  readonly pattern: string;
  /** Bytes written over all bytes. */
  readonly writeShare: number;
  readonly points: readonly RawPoint[];
}

/** Share of written bytes by MLC's traffic types: reads a write 2, 3, 1; non-temporal writes only (MLC 3.10 manual). */
const WRITE_SHARES: Readonly<Record<string, number>> = { W0: 0, W2: 1 / 3, W3: 1 / 4, W5: 1 / 2, W6: 1 };

function writeShareOf(source: string, field: string, traffic: string): number {
  const share = WRITE_SHARES[traffic];
  if (share !== undefined) return share;
  const remedy = `Known mixes: ${Object.keys(WRITE_SHARES).join(", ")}.`;
  throw new InputError(source, field, `traffic ${traffic || "(none)"} has no known mix`, remedy);
}

/** MLC's table: lines of injected delay, latency in ns and bandwidth in MB/s under a head that names them. */
function parseMlcText(source: string, text: string): RawCurve[] {
  const traffic = `W${/-W(\d+)/.exec(text)?.[1] ?? "0"}`;
  const points = [...text.matchAll(/^\s*(\d{1,6})\s+([\d.]+)\s+([\d.]+)\s*$/gm)].map((line) => ({
    injectDelay: Number(line[1]),
    latencyNs: Number(line[2]),
    bandwidthGBps: Number(line[3]) / 1000,
  }));
  if (points.length === 0)
    throw new InputError(source, "", "holds no loaded-latency lines", "Run mlc --loaded_latency.");
  const pattern = /-r\b|random/i.test(text) ? "random" : "sequential";
  const writeShare = writeShareOf(source, "command line", traffic);
  return [{ source, path: source, threads: "all", traffic, pattern, writeShare, points }];
}

function parseCsv(source: string, text: string): RawCurve[] {
  const lines = text.trim().split(/\r?\n/);
  const head = (lines[0] as string).split(",").map((cell) => cell.trim());
  const column = (name: string) => head.indexOf(name);
  for (const name of ["inject_delay", "latency_ns", "bandwidth_gbps"]) {
    if (column(name) < 0) throw new InputError(source, "line 1", `has no column ${name}`, "Name it in the first line.");
  }
  const curves = new Map<string, { points: RawPoint[]; curve: RawCurve }>();
  for (const [i, line] of lines.slice(1).entries()) {
    const cells = line.split(",").map((cell) => cell.trim());
    const cell = (name: string, missing: string) => cells[column(name)] ?? missing;
    const field = `line ${i + 2}`;
    if (cells.length !== head.length) {
      throw new InputError(source, field, `has ${cells.length} cells, not ${head.length}`, "Correct the line.");
    }
    const traffic = cell("mlc_traffic", "W0");
    const curve: RawCurve = {
      source: cell("source", source),
      path: cell("path", source),
      threads: cell("threads", "all"),
      traffic,
      pattern: cell("pattern", "sequential"),
      writeShare: writeShareOf(source, field, traffic),
      points: [],
    };
    const key = JSON.stringify([curve.source, curve.path, curve.threads, traffic, curve.pattern]);
    const known = curves.get(key) ?? { points: [], curve };
    curves.set(key, known);
    known.points.push({
      injectDelay: Number(cell("inject_delay", "")),
      latencyNs: Number(cell("latency_ns", "")),
      bandwidthGBps: Number(cell("bandwidth_gbps", "")),
    });
  }
  return [...curves.values()].map(({ curve, points }) => ({ ...curve, points }));
}

/** Curves of a file, CSV when its first line names the columns. Throws InputError with the line. */
export function parseCurves(source: string, text: string): RawCurve[] {
  return /^[^\n]*inject_delay[^\n]*,|^[^\n]*,[^\n]*inject_delay/.test(text)
    ? parseCsv(source, text)
    : parseMlcText(source, text);
}
