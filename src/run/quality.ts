// Quality of each format beside f32, teacher-forced on the same tokens: KL(f32 || format) of text and of answers, top
// token agreement, perplexity, and the share of questions whose greedy answer is right to the end token.

import type { LogitComparer, LogitComparison } from "../core/ports.js";
import type { QualityResult, Score } from "../core/result.js";
import type { Figure } from "../core/units.js";
import type { Control, EvalSet, Session, Subject } from "./parts.js";

interface Sums {
  readonly text: LogitComparison[];
  readonly answers: { readonly set: string; readonly type: string; readonly comparison: LogitComparison }[];
}

/** A session and the picture whose features it holds, -1 for none. */
interface Seat {
  readonly session: Session;
  picture: number;
}

/** Logits of the answer's tokens, each given the prompt and the answer before it: [answer, vocab]. */
async function answerLogits(seat: Seat, question: EvalSet["questions"][number]): Promise<Float32Array> {
  const { picture, prompt, answer } = question;
  const { session } = seat;
  session.rewind();
  if (seat.picture !== picture) await session.see(question.pixels());
  seat.picture = picture;
  await session.next(prompt.slice(0, -1));
  return session.score([...prompt.slice(-1), ...answer.slice(0, -1)]);
}

/** Logits that predict tokens 1.. of a window: [window - 1, vocab]. */
async function windowLogits({ session }: Seat, window: readonly number[]): Promise<Float32Array> {
  session.rewind();
  return session.score(window.slice(0, -1));
}

const total = (list: readonly LogitComparison[], key: keyof LogitComparison) =>
  list.reduce((sum, entry) => sum + entry[key], 0);

const measured = (value: number, unit: string): Figure => ({ value, unit, source: "measured" });

/** Figures of the sums; a figure without data, or that is not a number, is an absent key. */
function qualityFigures({ text, answers }: Sums): Record<string, Figure> {
  const comparisons = answers.map(({ comparison }) => comparison);
  const textRows = total(text, "rows");
  const answerRows = total(comparisons, "rows");
  const right = (set?: string) => {
    const asked = answers.filter((entry) => set === undefined || entry.set === set);
    return asked.filter(({ comparison }) => comparison.right === comparison.rows).length / asked.length;
  };
  const figures = {
    klText: measured(total(text, "kl") / textRows, "1"),
    klAnswer: measured(total(comparisons, "kl") / answerRows, "1"),
    top1: measured((total(text, "same") + total(comparisons, "same")) / (textRows + answerRows), "share"),
    perplexity: measured(Math.exp(total(text, "nll") / textRows), "1"),
    accuracy: measured(right(), "share"),
    accuracyDigits: measured(right("digits"), "share"),
    accuracyShapes: measured(right("easy-vqa"), "share"),
  };
  return Object.fromEntries(Object.entries(figures).filter(([, { value }]) => Number.isFinite(value)));
}

/** Whole answers that are right, counted by set and type. */
function scoresOf(answers: Sums["answers"]): Score[] {
  const kinds = [...new Set(answers.map(({ set, type }) => `${set}\n${type}`))].sort();
  return kinds.map((kind) => {
    const [set = "", type = ""] = kind.split("\n");
    const asked = answers.filter((entry) => entry.set === set && entry.type === type);
    const right = asked.filter(({ comparison }) => comparison.right === comparison.rows).length;
    return { set, type, right, total: asked.length };
  });
}

/** One thing to evaluate on: what must be predicted, how a session gives its logits, and where the sums go. */
interface Item {
  readonly targets: readonly number[];
  logits(seat: Seat): Promise<Float32Array>;
  keep(sums: Sums, comparison: LogitComparison): void;
}

/** Questions first, then windows of text. */
function itemsOf({ questions, windows }: EvalSet, sees: boolean): Item[] {
  const asked = (sees ? questions : []).map(
    (question): Item => ({
      targets: question.answer,
      logits: (seat) => answerLogits(seat, question),
      keep: ({ answers }, comparison) => answers.push({ set: question.set, type: question.type, comparison }),
    }),
  );
  const read = windows.map(
    (window): Item => ({
      targets: window.slice(1),
      logits: (seat) => windowLogits(seat, window),
      keep: ({ text }, comparison) => text.push(comparison),
    }),
  );
  return [...asked, ...read];
}

/**
 * Measures all subjects, which share tokens and vocabulary, against `base` (f32). The base's logits are made once for each
 * question and window, so nothing is kept. The first result is the base's own. Stopping keeps the sums so far.
 */
export async function measureQuality(
  base: Subject,
  others: readonly Subject[],
  set: EvalSet,
  comparer: LogitComparer,
  control: Control,
): Promise<QualityResult[]> {
  const subjects = [base, ...others];
  const seats: Seat[] = subjects.map((subject) => ({ session: subject.session(), picture: -1 }));
  const sums: Sums[] = subjects.map(() => ({ text: [], answers: [] }));
  const items = itemsOf(set, base.image !== null);
  for (const [done, item] of items.entries()) {
    control.progress({ stage: `quality of ${base.model}`, done, total: items.length });
    if (await control.stopped()) break;
    const targets = Int32Array.from(item.targets);
    const reference = await item.logits(seats[0] as Seat);
    for (const [i, seat] of seats.entries()) {
      const logits = i === 0 ? reference : await item.logits(seat);
      item.keep(sums[i] as Sums, comparer.compare(reference, logits, targets));
    }
  }
  return subjects.map(({ model, quant, activations }, i) => {
    const { text, answers } = sums[i] as Sums;
    const figures = qualityFigures({ text, answers });
    return { model, quant, activations, figures, scores: scoresOf(answers), textTokens: total(text, "rows") };
  });
}
