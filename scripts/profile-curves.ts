// Reduces raw loaded-latency points (a CSV with the columns source, path, threads, mlc_traffic, pattern, inject_delay,
// latency_ns, bandwidth_gbps) to the monotone curve of a profile and writes it into the profile's `curve`:
//   node build/scripts/profile-curves.js POINTS.csv PATH PROFILE.json
// Reads only (W0), sequential, the largest thread count there is.
import { readFileSync, writeFileSync } from "node:fs";

interface RawPoint {
  readonly injectDelay: number;
  readonly latencyNs: number;
  readonly bandwidthGBps: number;
}

function readPoints(csv: string, path: string): { points: RawPoint[]; threads: number } {
  const rows = csv
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.split(","))
    .filter(([, at, , traffic, pattern]) => at === path && traffic === "W0" && pattern === "sequential");
  const threads = Math.max(...rows.map((row) => Number(row[2])));
  const points = rows
    .filter((row) => Number(row[2]) === threads)
    .map((row) => ({ injectDelay: Number(row[5]), latencyNs: Number(row[6]), bandwidthGBps: Number(row[7]) }));
  return { points, threads };
}

/**
 * Raw curves bend back and start with noise. In the order of rising load (falling injected delay) a point counts only if
 * its bandwidth exceeds all before it; a latency above one at more bandwidth is lowered to that. The first latency left is the idle one.
 */
function envelope(points: readonly RawPoint[]): { idleNs: number; curve: [number, number][]; dropped: number } {
  const byLoad = [...points].sort((a, b) => b.injectDelay - a.injectDelay);
  const rising: RawPoint[] = [];
  for (const point of byLoad) {
    if (point.bandwidthGBps > (rising.at(-1)?.bandwidthGBps ?? 0)) rising.push(point);
  }
  const latencies = rising.map((_, i) => Math.min(...rising.slice(i).map((point) => point.latencyNs)));
  const idleNs = latencies[0];
  const curve = rising.map((point, i): [number, number] => [
    point.bandwidthGBps,
    Number((latencies[i] - idleNs).toFixed(2)),
  ]);
  return { idleNs, curve, dropped: points.length - rising.length };
}

const [csvPath, path, profilePath] = process.argv.slice(2);
if (!profilePath) {
  console.error("usage: node build/scripts/profile-curves.js POINTS.csv PATH PROFILE.json");
  process.exit(2);
}
const { points, threads } = readPoints(readFileSync(csvPath, "utf8"), path);
if (points.length === 0) {
  console.error(`${csvPath}: no W0 sequential points of path ${path}`);
  process.exit(2);
}
const { idleNs, curve, dropped } = envelope(points);
const profile = JSON.parse(readFileSync(profilePath, "utf8"));
profile.curve = {
  source: "derived",
  note: `${path}, W0 sequential, ${threads} threads; latency over the ${idleNs} ns of the lightest load; ${dropped} of ${points.length} points that bend back dropped, the rest lowered to a rising curve`,
  points: curve,
};
const text = JSON.stringify(profile, null, 2)
  .replace(/\[\s+([\d.]+),\s+([\d.]+)\s+\]/g, "[$1, $2]")
  .replace(/\{\s+("value": .+),\s+("source": .+),\s+("note": .+)\s+\}/g, "{ $1, $2, $3 }");
writeFileSync(profilePath, `${text}\n`);
console.log(`${profilePath}: ${curve.length} points, ${dropped} dropped, idle ${idleNs} ns`);
