// Questions about a digit grid, in several wordings, all lower case, with their answers. Every
// answer is one word or numeral, hence one token.

import type { GridPlan } from "./digits.js";
import { pick, type Random, sample } from "./random.js";

export type QuestionType = "which" | "count" | "compare";

export interface Question {
  readonly question: string;
  readonly answer: string;
  readonly type: QuestionType | "shape" | "colour" | "yesno";
}

const places = ["top left", "top right", "bottom left", "bottom right"];
const plurals = ["zeros", "ones", "twos", "threes", "fours", "fives", "sixes", "sevens", "eights", "nines"];
/** Neighbours in a row or a column, both directions: [place asked about, place compared with]. */
const pairs: readonly (readonly [number, number])[] = [
  [0, 1],
  [1, 0],
  [2, 3],
  [3, 2],
  [0, 2],
  [2, 0],
  [1, 3],
  [3, 1],
];

const whichWordings = [
  (place: string) => `which digit is ${place}?`,
  (place: string) => `what is the ${place} digit?`,
  (place: string) => `which digit is in the ${place}?`,
  (place: string) => `what digit is in the ${place} corner?`,
];
const countWordings = [
  (plural: string) => `how many ${plural} are there?`,
  (plural: string) => `how many ${plural} are in the image?`,
  (plural: string) => `how many ${plural}?`,
  (plural: string) => `what is the number of ${plural}?`,
];
const compareWordings = [
  (a: string, b: string) => `is the ${a} digit larger than the ${b} one?`,
  (a: string, b: string) => `is the ${a} digit larger than the ${b} digit?`,
  (a: string, b: string) => `is the digit in the ${a} larger than the one in the ${b}?`,
];

/** Asks for the digit at a place. */
export function whichQuestion(random: Random, plan: GridPlan, place: number): Question {
  return { question: pick(random, whichWordings)(places[place]), answer: `${plan.cells[place]}`, type: "which" };
}

/** Asks how often a digit appears. */
export function countQuestion(random: Random, plan: GridPlan, digit: number): Question {
  const count = plan.cells.filter((cell) => cell === digit).length;
  return { question: pick(random, countWordings)(plurals[digit]), answer: `${count}`, type: "count" };
}

/**
 * Asks whether a digit is larger than its neighbour. Yes and no are equally likely as far as the grid allows:
 * a third of the "no" questions ask about equal digits where there are some. Undefined when the wanted answer has no pair.
 */
export function compareQuestion(random: Random, plan: GridPlan, used: Set<string>): Question | undefined {
  const unused = pairs.filter(([a, b]) => !used.has(`${a}${b}`));
  const where = (sign: number) => unused.filter(([a, b]) => Math.sign(plan.cells[a] - plan.cells[b]) === sign);
  const wanted = random.next() < 0.5 ? "yes" : "no";
  const equal = wanted === "no" && random.next() < 1 / 3 ? where(0) : [];
  const able = equal.length > 0 ? equal : where(wanted === "yes" ? 1 : -1);
  if (able.length === 0) return undefined;
  const [a, b] = pick(random, able);
  used.add(`${a}${b}`);
  return { question: pick(random, compareWordings)(places[a], places[b]), answer: wanted, type: "compare" };
}

/** Up to five questions about one grid for training: two places, one balanced count,
 * two comparisons (a place instead where none with the wanted answer exists). */
export function gridQuestions(random: Random, plan: GridPlan, count: number): Question[] {
  const order = sample(random, [0, 1, 2, 3], 4);
  const used = new Set<string>();
  const which = (i: number): Question => whichQuestion(random, plan, order[i]);
  const compare = (i: number): Question => compareQuestion(random, plan, used) ?? which(i);
  const list = [which(0), countQuestion(random, plan, plan.counted), compare(2), which(1), compare(3)];
  return list.slice(0, count);
}
