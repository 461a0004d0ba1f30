// Warnings as data: what a reader of the figures should know, and what to do about it.

import type { BenchResult, CaseResult, Warning } from "../core/result.js";
import { targetName } from "../core/target.js";
import { hostDoubts } from "./host-doubts.js";
import type { Statistics } from "./parts.js";
import { notRun } from "./targets.js";

/** Fewer rounds than this give no interval of the median at 95 %. */
const FEW_ROUNDS = 6;
/** An outlier nearer to the median than this share of it is not worth a word. */
const NOTABLE_SHARE = 0.2;
/** A delay below this share of the modelled time is nothing. */
const NO_DELAY = 1e-3;

type Measured = Extract<CaseResult, { state: "measured" }>;
type Facts = Omit<BenchResult, "warnings">;

const measuredOf = ({ cases }: Facts) => cases.filter((entry): entry is Measured => entry.state === "measured");
const distinct = (names: readonly string[]) => [...new Set(names)];

function load({ environment: { load: loads, cores }, cases }: Facts): Warning[] {
  const before = loads[0] ?? 0;
  if (cases.length === 0 || before <= cores * 0.5) return [];
  return [
    {
      code: "noisy",
      message: `Other programs were busy here (load ${before.toFixed(1)} on ${cores} cores): measured and predicted times are too long by an unknown amount`,
      remedy: "Run again on a quiet machine, or read the modelled columns, which no load can change",
    },
  ];
}

function doubtfulHost({ host }: Facts): Warning[] {
  const doubts = hostDoubts(host);
  if (doubts.length === 0) return [];
  return [
    {
      code: "doubtful-host",
      message: `The probe of this machine's memory found ${doubts.join(" and ")}: a neighbour may have disturbed it, and predicted figures with it`,
      remedy: "Run again on a quiet machine, or read the modelled columns, which use the shipped host profile",
    },
  ];
}

function rounds(facts: Facts): Warning[] {
  const cases = measuredOf(facts);
  const few = Math.min(...cases.map(({ samplesNs }) => samplesNs.length));
  if (cases.length === 0 || few >= FEW_ROUNDS) return [];
  const message = `Only ${few} ${few === 1 ? "round" : "rounds"}: too few for an interval of the median`;
  return [{ code: "few-samples", message, remedy: `Use --rounds ${FEW_ROUNDS} or more` }];
}

function outliers(facts: Facts, statistics: Statistics): Warning[] {
  const found = measuredOf(facts).filter(({ samplesNs }) => {
    const { median } = statistics.summarize(samplesNs);
    const far = (i: number) => Math.abs((samplesNs[i] ?? median) - median) > NOTABLE_SHARE * median;
    return statistics.outliers(samplesNs).some(far);
  });
  if (found.length === 0) return [];
  const names = found.slice(0, 3).map((entry) => `${targetName(entry.target)} ${entry.quant} ${entry.test}`);
  const rest = found.length > 3 ? ` and ${found.length - 3} more` : "";
  return [
    {
      code: "outliers",
      message: `Outliers far from the median in ${names.join(", ")}${rest}`,
      remedy: "The median is not moved by them; close other programs or use more --warmups to be rid of them",
    },
  ];
}

function threads({ targets }: Facts): Warning[] {
  const missing = targets.filter((status) => !status.available && status.target.threads > 1);
  if (missing.length === 0 || targets.some((status) => status.available && status.target.threads > 1)) return [];
  const reason = missing[0]?.available === false ? missing[0].reason : "";
  return [
    {
      code: "single-thread",
      message: `No target with threads can run here (${reason}): all figures are of one thread`,
      remedy: "nibblemark doctor says what would help",
    },
  ];
}

function gpus({ scenario, targets, cases }: Facts): Warning[] {
  const absent = scenario.workloads.flatMap((workload) => notRun(workload.targets, targets));
  const missing = distinct(absent.map(({ target, reason }) => `${targetName(target)} was not run: ${reason}`));
  const ran = (name: string) => cases.some(({ target }) => targetName(target) === name);
  const adapters = targets.flatMap((status) => {
    const name = targetName(status.target);
    if (!status.available || status.target.backend !== "webgpu" || !ran(name)) return [];
    const software = status.target.variant.startsWith("software");
    const meaning = software ? "; its times are those of this CPU and say nothing of any GPU" : "";
    return [`${name} is ${status.detail}${meaning}`];
  });
  return [
    ...missing.map((message) => ({ code: "not-run", message, remedy: "nibblemark doctor says what would help" })),
    ...adapters.map((message) => ({ code: "adapter", message, remedy: "Compare GPU figures of one adapter only" })),
  ];
}

const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

function cache(facts: Facts): Warning[] {
  const models = distinct(measuredOf(facts).map(({ model }) => model));
  return models.flatMap((model) => {
    const rows = measuredOf(facts)
      .filter((entry) => entry.model === model)
      .flatMap((entry) => entry.rows)
      .filter(({ pools }) => pools.length > 1);
    const free = rows.every(({ delay }) => Math.abs(delay.delayNs) <= NO_DELAY * delay.localNs);
    return rows.length > 0 && free
      ? [fitsCache(facts, model, Math.max(...rows.map(({ slowdown }) => slowdown.value)))]
      : [];
  });
}

/** A model that costs nothing by the shipped profile; this machine's own cache may be smaller. */
function fitsCache({ host, frozenHost }: Facts, model: string, mostSlowdown: number): Warning {
  const stays = `${model} stays in the last-level cache (${mib(frozenHost.llcBytes)}), so far memory costs nothing`;
  const here = `; by this machine's probe (cache ${mib(host.llcBytes)}) up to ${mostSlowdown.toFixed(2)}x`;
  return {
    code: "fits-cache",
    message: mostSlowdown > 1 + NO_DELAY ? stays + here : stays,
    remedy: "The synthetic shape shows a model that does not fit; --llc none counts every access",
  };
}

function extrapolated(facts: Facts): Warning[] {
  const entry = measuredOf(facts).find((candidate) => candidate.figures.extrapolatedTokensPerSecond);
  if (!entry) return [];
  return [
    {
      code: "extrapolated",
      message: `${entry.model} ran with fewer layers than the real model; figures of full depth are extrapolated by the memory model`,
      remedy: "Use --layers 32 where memory allows it to measure the full depth",
    },
  ];
}

function finite({ quality }: Facts): Warning[] {
  return quality
    .filter(({ figures }) => !figures.klText && !figures.klAnswer)
    .map(({ model, quant }) => ({
      code: "not-finite",
      message: `${model} in ${quant} gave no finite logits, or nothing was evaluated`,
      remedy: "Check the weights with nibblemark inspect",
    }));
}

function stopped({ interrupted }: Facts): Warning[] {
  const message = "Stopped by the user before the end";
  return interrupted ? [{ code: "interrupted", message, remedy: "Run again for all cases" }] : [];
}

/** All warnings of a result, in the order of their weight. */
export function warningsOf(facts: Facts, statistics: Statistics): Warning[] {
  return [
    ...stopped(facts),
    ...finite(facts),
    ...load(facts),
    ...doubtfulHost(facts),
    ...threads(facts),
    ...gpus(facts),
    ...rounds(facts),
    ...outliers(facts, statistics),
    ...cache(facts),
    ...extrapolated(facts),
  ];
}
