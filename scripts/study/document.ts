// docs/study.md and docs/study.json of what was measured. Sentences about results are made from the figures; what is missing is named.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Cell } from "./cells.js";
import { allCells, COUNTS, DEPTH, HEALINGS, healCell, orderCell, SFT, wholeCell } from "./cells.js";
import type { Store } from "./store.js";
import {
  agreementTable,
  bars,
  chosenOf,
  healBars,
  healLosses,
  healTable,
  mean,
  orderTable,
  ranked,
  regretTable,
  singleTable,
  smolBars,
  smolScore,
  smolTable,
  smolVerdict,
} from "./tables.js";

export function writeStudy(store: Store, folder: string): void {
  const known = allCells().filter((cell) => store.find(cell));
  const lines = known.map((cell) => JSON.stringify({ cell, result: store.find(cell) }));
  writeFileSync(join(folder, "study.json"), `{"schemaVersion":1,"cells":[\n${lines.join(",\n")}\n]}\n`);
  writeFileSync(join(folder, "study.md"), `${documentOf(store).join("\n").trimEnd()}\n`);
}

function documentOf(store: Store): string[] {
  return [
    "# The compression study",
    "",
    "Made by `npm run study -- --hours H`, which measures what is not in `.cache/study` yet, cheap cells first, and writes this page and",
    "`study.json` anew. Do not edit it by hand.",
    "",
    ...methodOf(),
    ...coverage(store),
    "## Shipped model: every removable set of one to three blocks",
    "",
    "### Single blocks",
    "",
    ...singleTable(store),
    ...COUNTS.flatMap((count) => [
      `### ${count} of 8 blocks: the criteria's regret`,
      "",
      ...regretTable(store, count),
      ...regretSentence(store, count),
    ]),
    "### Rank agreement of the criteria",
    "",
    "Over blocks 1 to 7: with the mean KL that each one's removal costs, and with each other.",
    "",
    ...agreementTable(store),
    "### All sets without block 0, unhealed",
    "",
    ...bars(store, false),
    "### All sets without block 0, healed by ReplaceMe",
    "",
    ...bars(store, true),
    `## Shipped model: healing and quantization of ${DEPTH} removed blocks`,
    "",
    ...healMethod(),
    "",
    ...healTable(store),
    ...healBars(store),
    ...healLosses(store),
    "## Shipped model: the order of stages at equal final size",
    "",
    "The same blocks removed, the decoder in awq-int4-g128 at the end.",
    "",
    ...orderTable(store),
    "## SmolLM2-135M",
    "",
    "KL from the unpruned model in nats on the shipped text (about 4,000 tokens); calibrated on the text lines of the shipped calibration",
    "set; removals are tried on 16 of them, AWQ looks at as many, and healed-swap tries at most 12 sets: each is a pass over 30 blocks. Its values are those of the Q4_1 file that a package on PyPI holds, as floats: f16 here means those values, unrounded. Groups of 64:",
    "its rows of 576 are no multiple of 128.",
    "",
    ...smolTable(store),
    "After ReplaceMe, f16, with the blocks that each criterion takes:",
    "",
    ...smolBars(store),
    ...smolVerdict(store),
    ...smolScore(store),
    "",
    ...claims(store),
  ];
}

const healMethod = (): string[] => [
  `Blocks chosen by healed-swap. SFT: ${SFT.steps} steps of 24 samples from the training splits (${SFT.questions} questions, half as many stretches of`,
  "text), rate " +
    SFT.rate +
    "; distillation of hidden states and logits from the unpruned model, weight 1 each. ReplaceMe as published is plain least squares;",
  "without that word it is what `compress` does: tokens weighed, the map pulled towards doing nothing as strongly as other samples want.",
];

function methodOf(): string[] {
  return [
    "## Method",
    "",
    "KL is the mean divergence from the unpruned f32 model in nats a token, on samples that no stage has seen: questions with pictures of the",
    "model's evaluation set (`answer`: the tokens of the right answers) and windows of held-out text (`text`). They stand apart, since answers of an easy",
    "task hardly react where text already suffers. A criterion is judged by the mean of both. Criteria, ReplaceMe, AWQ and GPTQ see the",
    "calibration set only. Quantized are the linears of the decoder's blocks. Block 0 is enumerated unhealed only (ReplaceMe folds into the block before), and",
    "no criterion may take it; no other block is protected. Regret: KL of a criterion's set less that of the best set of its size.",
    "",
  ];
}

/** Which cells there are, by kind. */
function coverage(store: Store): string[] {
  const all = allCells();
  const has = (cell: Cell) => store.find(cell) !== null;
  const line = (name: string, cells: readonly Cell[]) => `- ${name}: ${cells.filter(has).length} of ${cells.length}`;
  const sft = (cell: Cell) => cell.kind === "pipeline" && cell.stages.some((stage) => stage.do === "sft");
  const shipped = all.filter(({ model }) => model === "shipped");
  return [
    "Cells measured so far:",
    "",
    line(
      "shipped model, without SFT",
      shipped.filter((cell) => !sft(cell)),
    ),
    line("shipped model, with SFT", shipped.filter(sft)),
    line(
      "SmolLM2-135M",
      all.filter(({ model }) => model === "smollm2"),
    ),
    "",
    "A dash in a table is a cell that was not measured yet: the command goes on where it was.",
    "",
  ];
}

function regretSentence(store: Store, count: number): string[] {
  const healed = ranked(store, count, true);
  const kls = chosenOf(store, count).flatMap(({ criterion, removed }) => {
    const found = healed.find(({ set }) => set.join() === removed.join());
    return found ? [{ criterion, regret: found.kl - healed[0].kl }] : [];
  });
  if (kls.length < 2) return [];
  const least = Math.min(...kls.map(({ regret }) => regret));
  const best = kls.filter(({ regret }) => regret === least).map(({ criterion }) => criterion);
  const ours = kls.find(({ criterion }) => criterion === "healed-swap");
  const tail = ours === undefined ? "" : ` healed-swap, ours: ${ours.regret.toFixed(4)}.`;
  return [`Least regret after ReplaceMe: ${best.join(", ")} (${least.toFixed(4)} nats).${tail}`, ""];
}

function klOf(store: Store, cell: Cell): number | null {
  const found = store.find(cell);
  return found?.kind === "pipeline" ? mean(found.losses) : null;
}

/** What the paper says beside what stands above; nothing is said where cells are missing. */
function claims(store: Store): string[] {
  const beside = (what: string, a: number | null, b: number | null, better: string, worse: string): string[] => {
    if (a === null || b === null) return [`- ${what}: not measured yet.`];
    return [`- ${what}: ${a.toFixed(4)} beside ${b.toFixed(4)} nats, ${a < b ? better : worse}.`];
  };
  const heal = (index: number, scheme: string) => klOf(store, healCell(index, scheme));
  return [
    "## Beside the paper's claims",
    "",
    "The paper prunes, fine-tunes and quantizes a 7B LLaVA (70 % less memory, 4 % better than other recipes at the same ratio, on dermatology answers). Its",
    "data, scores and recipe are not public, so only the shape of its claims can be tried, on a model of 2 million weights:",
    "",
    ...beside(
      "Healing before quantization pays (prune, SFT + distillation, AWQ beside prune, AWQ)",
      klOf(store, orderCell(5)),
      klOf(store, orderCell(0)),
      "it does here",
      "it does not here",
    ),
    ...beside(
      "Healing without gradients pays (prune, ReplaceMe, AWQ beside prune, AWQ)",
      klOf(store, orderCell(2)),
      klOf(store, orderCell(0)),
      "it does here",
      "it does not here",
    ),
    ...beside(
      "Quantize last (prune, ReplaceMe, AWQ beside AWQ, prune, ReplaceMe)",
      klOf(store, orderCell(2)),
      klOf(store, orderCell(3)),
      "as the paper orders it",
      "the other order is better here",
    ),
    ...beside(
      `SFT heals (${HEALINGS[3].name} beside none, f16)`,
      heal(3, "f16"),
      heal(0, "f16"),
      "it does here",
      "it does not here, with as few steps",
    ),
    ...beside(
      "Distillation adds to SFT (SFT + distillation beside SFT, f16)",
      heal(4, "f16"),
      heal(3, "f16"),
      "it does here",
      "it does not here",
    ),
    ...beside(
      "ReplaceMe as published heals (beside none, f16)",
      heal(1, "f16"),
      heal(0, "f16"),
      "it does here",
      "it does not here: plain least squares follows its calibration tokens, among them loud ones that a norm makes small",
    ),
    ...beside(
      "ReplaceMe with weighed tokens and a chosen ridge heals (beside none, f16)",
      heal(2, "f16"),
      heal(0, "f16"),
      "it does here",
      "it does not here",
    ),
    ...beside(
      "AWQ beats RTN (unpruned)",
      klOf(store, wholeCell("awq-int4-g128")),
      klOf(store, wholeCell("rtn-int4-g128")),
      "it does here",
      "it does not here",
    ),
    "- 4 % better answers than other recipes: not tried. The divergence of a small model's answers says nothing of a clinical task.",
    "- 70 % less memory: arithmetic of shapes, shown by `nibblemark bench --shape llava-1.5-7b --fit 4GiB` and `nibblemark fit`.",
    "",
  ];
}
