// The study's tables: each a list of Markdown lines from the cells that were measured; cells that are missing show a dash.

import type { Losses } from "../../src/compress/trial.js";
import { kendall } from "../../src/stats/rank.js";
import {
  type Cell,
  COUNTS,
  criteriaCell,
  DEPTH,
  HEALINGS,
  healCell,
  ORDERS,
  orderCell,
  SCHEMES,
  SMOL_COUNTS,
  SMOL_CRITERIA,
  SMOL_SCHEMES,
  smolCell,
  subsetCell,
  subsets,
  wholeCell,
} from "./cells.js";
import type { Chosen, Store } from "./store.js";

const DASH = "–";
const number = (value: number | undefined): string => (value === undefined ? DASH : value.toFixed(4));
const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string[] => [
  row(head),
  row(head.map((_, i) => (i === 0 ? "---" : "---:"))),
  ...rows.map(row),
  "",
];

function lossesOf(store: Store, cell: Cell): Losses | null {
  const found = store.find(cell);
  return found?.kind === "pipeline" ? found.losses : null;
}

/** Mean of text and answers, each weighing a half: what criteria are judged by. */
export const mean = ({ text, answer }: Losses): number => ((text?.kl ?? 0) + (answer?.kl ?? 0)) / 2;

const pair = (losses: Losses | null): string[] => [number(losses?.text?.kl), number(losses?.answer?.kl)];

export function singleTable(store: Store): string[] {
  const rows = subsets()
    .filter((set) => set.length === 1)
    .map((set) => [
      String(set[0]),
      ...pair(lossesOf(store, subsetCell(set, false))),
      ...(set[0] === 0 ? [DASH, DASH] : pair(lossesOf(store, subsetCell(set, true)))),
    ]);
  return table(["block", "KL text", "KL answer", "ReplaceMe: text", "answer"], rows);
}

interface Measured {
  readonly set: readonly number[];
  readonly kl: number;
}

/** Sets without block 0 of one size, best first; those that were not measured are missing. */
export function ranked(store: Store, count: number, heal: boolean): Measured[] {
  return subsets()
    .filter((set) => set.length === count && !set.includes(0))
    .flatMap((set) => {
      const losses = lossesOf(store, subsetCell(set, heal));
      return losses ? [{ set, kl: mean(losses) }] : [];
    })
    .sort((a, b) => a.kl - b.kl);
}

export function chosenOf(store: Store, count: number): readonly Chosen[] {
  const found = store.find(criteriaCell("shipped", count, "healed-swap"));
  return found?.kind === "criteria" ? found.chosen : [];
}

/** How far each criterion's set is from the best one of all sets of its size. */
export function regretTable(store: Store, count: number): string[] {
  const [plain, healed] = [ranked(store, count, false), ranked(store, count, true)];
  if (plain.length === 0) return ["Not measured yet.", ""];
  const place = (list: readonly Measured[], set: readonly number[]): string[] => {
    const at = list.findIndex((one) => one.set.join() === set.join());
    if (at < 0) return [DASH, DASH, DASH];
    return [number(list[at].kl), number(list[at].kl - list[0].kl), `${at + 1} of ${list.length}`];
  };
  const rows = chosenOf(store, count).map(({ criterion, removed }) => [
    criterion,
    removed.join(", "),
    ...place(plain, removed),
    ...place(healed, removed),
  ]);
  const best = (list: readonly Measured[]): string[] => [number(list[0]?.kl), number(0), `1 of ${list.length}`];
  const head = ["criterion", "blocks", "KL", "regret", "rank", "ReplaceMe: KL", "regret", "rank"];
  return table(head, [
    ["*best unhealed*", plain[0].set.join(", "), ...best(plain), ...place(healed, plain[0].set)],
    ...(healed.length > 0
      ? [["*best healed*", healed[0].set.join(", "), ...place(plain, healed[0].set), ...best(healed)]]
      : []),
    ...rows,
  ]);
}

export function healTable(store: Store): string[] {
  const rows = [
    ["no block removed", ...SCHEMES.flatMap((scheme) => pair(lossesOf(store, wholeCell(scheme))))],
    ...HEALINGS.map(({ name }, i) => [
      `${DEPTH} removed, ${name}`,
      ...SCHEMES.flatMap((scheme) => pair(lossesOf(store, healCell(i, scheme)))),
    ]),
  ];
  return table(["", ...SCHEMES.flatMap((scheme) => [`${scheme}: text`, "answer"])], rows);
}

export function orderTable(store: Store): string[] {
  const rows = ORDERS.map(({ name }, i) => [name, ...pair(lossesOf(store, orderCell(i)))]);
  return table(["order of stages", "KL text", "KL answer"], rows);
}

/** How each criterion ranks single blocks, beside what their removal really costs and beside each other. */
export function agreementTable(store: Store): string[] {
  const blocks = ranked(store, 1, false).sort((a, b) => a.set[0] - b.set[0]);
  // healed-swap judges sets: it has no order of blocks.
  const found = chosenOf(store, 1).filter(({ criterion }) => criterion !== "healed-swap");
  if (blocks.length === 0 || found.length === 0) return ["Not measured yet.", ""];
  const places = ({ order }: Chosen) => blocks.map(({ set }) => order.indexOf(set[0]));
  const cost = blocks.map(({ kl }) => kl);
  const agree = (a: readonly number[], b: readonly number[]) => kendall(a, b).toFixed(2);
  const rows = found.map((one) => [
    one.criterion,
    agree(places(one), cost),
    ...found.map((other) => (other === one ? "" : agree(places(one), places(other)))),
  ]);
  return table(["Kendall's tau-b", "KL of the removal", ...found.map(({ criterion }) => criterion)], rows);
}

const smolLoss = (store: Store, criterion: string, count: number, heal: boolean, scheme: string) =>
  lossesOf(store, smolCell(criterion, count, heal, scheme))?.text?.kl;

export function smolTable(store: Store): string[] {
  const rows = SMOL_COUNTS.flatMap((count) =>
    SMOL_CRITERIA.flatMap((criterion) =>
      [false, true].map((heal) => [
        `${count} by ${criterion}, ${heal ? "ReplaceMe" : "none"}`,
        ...SMOL_SCHEMES.map((scheme) => number(smolLoss(store, criterion, count, heal, scheme))),
      ]),
    ),
  );
  return table(["blocks, healing", ...SMOL_SCHEMES], rows);
}

/** Which blocks each criterion takes of SmolLM2, and what that costs as bars. */
export function smolBars(store: Store): string[] {
  const lines = SMOL_COUNTS.flatMap((count) => {
    const list = SMOL_CRITERIA.flatMap((criterion) => {
      const found = store.find(criteriaCell("smollm2", count, criterion));
      const chosen = found?.kind === "criteria" && found.chosen.find((one) => one.criterion === criterion);
      const healed = smolLoss(store, criterion, count, true, "f16");
      return chosen && healed !== undefined ? [{ criterion, removed: chosen.removed, healed }] : [];
    }).sort((a, b) => a.healed - b.healed);
    const most = Math.max(...list.map(({ healed }) => healed));
    return list.map(({ criterion, removed, healed }) => {
      const bar = "#".repeat(Math.max(1, Math.round((healed / most) * 40)));
      return `${count} ${criterion.padEnd(16)} ${bar.padEnd(41)} ${healed.toFixed(4)} ${removed.join(",")}`;
    });
  });
  return lines.length === 0 ? [] : ["```text", ...lines, "```", ""];
}

/** One sentence a count: our criterion beside the best of the others after healing, or which cells are missing. */
export function smolVerdict(store: Store): string[] {
  return SMOL_COUNTS.flatMap((count) => {
    const others = SMOL_CRITERIA.filter((name) => name !== "healed-swap");
    const found = others.flatMap((criterion) => {
      const kl = smolLoss(store, criterion, count, true, "f16");
      return kl === undefined ? [] : [{ criterion, kl }];
    });
    const ours = smolLoss(store, "healed-swap", count, true, "f16");
    const best = found.sort((a, b) => a.kl - b.kl)[0];
    if (!best) return [];
    const known = `${count} blocks, healed by ReplaceMe: the best of ${found.length} criteria is ${best.criterion} with ${best.kl.toFixed(4)} nats`;
    if (ours === undefined)
      return [`- ${known}; healed-swap, ours, was not measured yet, so nothing is claimed for it here.`];
    const how = ours < best.kl ? "better" : ours > best.kl ? "worse: it does not beat them" : "the same set";
    return [`- ${known}; healed-swap, ours, has ${ours.toFixed(4)}, ${how}.`];
  });
}

/** In how many settings (blocks, healing, scheme) that were measured for all criteria ours is the least; and where it is not. */
export function smolScore(store: Store): string[] {
  const settings = SMOL_COUNTS.flatMap((count) =>
    [false, true].flatMap((heal) => SMOL_SCHEMES.map((scheme) => ({ count, heal, scheme }))),
  ).flatMap(({ count, heal, scheme }) => {
    const list = SMOL_CRITERIA.map((criterion) => ({ criterion, kl: smolLoss(store, criterion, count, heal, scheme) }));
    if (list.some(({ kl }) => kl === undefined)) return [];
    const [best] = list.sort((a, b) => (a.kl as number) - (b.kl as number));
    return [{ best: best.criterion, name: `${count} blocks, ${heal ? "ReplaceMe" : "none"}, ${scheme}` }];
  });
  if (settings.length === 0) return [];
  const lost = settings.filter(({ best }) => best !== "healed-swap");
  const tail = lost.map(({ name, best }) => `${best} is better at ${name}`).join("; ");
  const won = settings.length - lost.length;
  return [
    `- Of ${settings.length} settings that were measured for all criteria, healed-swap is the best in ${won}${tail ? `; ${tail}` : ""}.`,
  ];
}

/** Divergence after each healing as bars: text, then answers. */
export function healBars(store: Store): string[] {
  const list = HEALINGS.flatMap(({ name }, i) => {
    const found = lossesOf(store, healCell(i, "f16"));
    return found ? [{ name, text: found.text?.kl ?? 0, answer: found.answer?.kl ?? 0 }] : [];
  });
  const most = Math.max(...list.map(({ text, answer }) => Math.max(text, answer)));
  const line = (name: string, kind: string, kl: number) =>
    `${name.padEnd(22)} ${kind.padEnd(7)} ${"#".repeat(Math.max(1, Math.round((kl / most) * 40))).padEnd(41)} ${kl.toFixed(4)}`;
  const lines = list.flatMap(({ name, text, answer }) => [line(name, "text", text), line("", "answer", answer)]);
  return lines.length === 0 ? [] : ["```text", ...lines, "```", ""];
}

/** Loss of the right answers and of the text itself, not of the divergence: what SFT trains. */
export function healLosses(store: Store): string[] {
  const rows = HEALINGS.map(({ name }, i) => {
    const found = lossesOf(store, healCell(i, "f16"));
    return [name, number(found?.text?.nll), number(found?.answer?.nll)];
  });
  const whole = lossesOf(store, wholeCell("f16"));
  return table(
    ["healing, f16", "-ln p text", "-ln p answer"],
    [["no block removed", number(whole?.text?.nll), number(whole?.answer?.nll)], ...rows],
  );
}

/** All sets of one size as bars, best first; a dot a set, the length is its KL. */
export function bars(store: Store, heal: boolean): string[] {
  const lines = COUNTS.flatMap((count) => {
    const list = ranked(store, count, heal);
    if (list.length === 0) return [];
    const most = Math.max(...list.map(({ kl }) => kl));
    const names = (set: readonly number[]) =>
      chosenOf(store, count)
        .filter(({ removed }) => removed.join() === set.join())
        .map(({ criterion }) => criterion);
    return list.map(({ set, kl }) => {
      const bar = "#".repeat(Math.max(1, Math.round((kl / most) * 40)));
      return `${set.join(",").padEnd(6)} ${bar.padEnd(41)} ${kl.toFixed(4)} ${names(set).join(" ")}`.trimEnd();
    });
  });
  return lines.length === 0 ? [] : ["```text", ...lines, "```", ""];
}
