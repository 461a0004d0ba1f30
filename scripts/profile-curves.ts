// Reduces raw loaded-latency points (CSV or Intel MLC text) to the curves of a profile and writes them into it:
//   node build/scripts/profile-curves.js POINTS PATH PROFILE.json [THREADS]
// Sequential; reads only becomes `curve`, W2 and W5 `mixCurves`, W6 (non-temporal) is left out: programs write back what they read.
import { readFileSync, writeFileSync } from "node:fs";
import { fitQueueNs, pathIdleNs, type ReducedCurve, reduceCurve } from "../src/delay/curves.js";
import { parseCurves, type RawCurve } from "../src/delay/mlc.js";

const [pointsPath, path, profilePath, threads] = process.argv.slice(2);
if (!pointsPath || !profilePath) {
  console.error("usage: node build/scripts/profile-curves.js POINTS PATH PROFILE.json [THREADS]");
  process.exit(2);
}
const all = parseCurves(pointsPath, readFileSync(pointsPath, "utf8")).filter((curve) => curve.path === path);
const idleNs = pathIdleNs(all);

function best(traffic: string): { raw: RawCurve; reduced: ReducedCurve } | null {
  const own = all.filter((raw) => raw.traffic === traffic && raw.pattern === "sequential");
  const raw =
    own.find((one) => one.threads === threads) ?? own.sort((a, b) => Number(b.threads) - Number(a.threads))[0];
  const reduced = raw && reduceCurve(raw, idleNs);
  return raw && reduced ? { raw, reduced } : null;
}

const round = (value: number) => Number(value.toFixed(2));

function fields({ raw, reduced }: { raw: RawCurve; reduced: ReducedCurve }) {
  const { dropped, lowered, filled, points } = reduced;
  const note = `${path}, ${raw.traffic} ${raw.pattern}, ${raw.threads} threads; latency over the ${reduced.idleNs} ns of the lightest load; ${dropped.length} of ${raw.points.length} points dropped that bend back, ${lowered} lowered to a rising curve, ${filled} put into wide steps along a queue`;
  const rising = points.map(({ bandwidthGBps, addedNs }) => [Number(bandwidthGBps.toFixed(4)), round(addedNs)]);
  return { source: "derived", note, points: rising };
}

const reads = best("W0");
if (!reads) {
  console.error(`${pointsPath}: no W0 sequential points of path ${path}`);
  process.exit(2);
}
const profile = JSON.parse(readFileSync(profilePath, "utf8"));
profile.curve = fields(reads);
const mixes = ["W2", "W5"].flatMap((traffic) => best(traffic) ?? []);
delete profile.mixCurves;
if (mixes.length > 0) {
  profile.mixCurves = mixes.map((mix) => ({ writeShare: Number(mix.raw.writeShare.toFixed(4)), ...fields(mix) }));
}
const text = JSON.stringify(profile, null, 2)
  .replace(/\[\s+([\d.]+),\s+([\d.]+)\s+\]/g, "[$1, $2]")
  .replace(/\{\s+("value": .+),\s+("source": .+),\s+("note": .+)\s+\}/g, "{ $1, $2, $3 }");
writeFileSync(profilePath, `${text}\n`);
const shown = [reads, ...mixes].map(({ raw, reduced }) => {
  const { idleNs: own, peakGBps, dropped, lowered, filled } = reduced;
  const queue = fitQueueNs(reduced).toFixed(0);
  return `  ${raw.traffic}: idle ${own} ns, peak ${peakGBps} GB/s, queue ${queue} ns, ${dropped.length} dropped, ${lowered} lowered, ${filled} filled`;
});
console.log([profilePath, ...shown].join("\n"));
