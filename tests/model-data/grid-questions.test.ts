// Questions about digit grids: each answer agrees with the grid, and answers are balanced.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { planGrid } from "../../scripts/model/digits.js";
import { compareQuestion, gridQuestions, type Question } from "../../scripts/model/questions.js";
import { makeRandom } from "../../scripts/model/random.js";

const places = ["top left", "top right", "bottom left", "bottom right"];
const plurals = ["zeros", "ones", "twos", "threes", "fours", "fives", "sixes", "sevens", "eights", "nines"];

/** Answers a question by reading its words, apart from how it was made. */
function answerOf({ question, type }: Question, cells: readonly number[]): string {
  const named = places
    .map((place, cell) => ({ cell, at: question.indexOf(place) }))
    .filter(({ at }) => at >= 0)
    .sort((a, b) => a.at - b.at)
    .map(({ cell }) => cells[cell]);
  if (type === "which") return `${named[0]}`;
  if (type === "compare") return named[0] > named[1] ? "yes" : "no";
  const digit = plurals.findIndex((plural) => question.includes(plural));
  return `${cells.filter((cell) => cell === digit).length}`;
}

test("answers agree with the grid", () => {
  const random = makeRandom(1);
  for (let i = 0; i < 2000; i++) {
    const plan = planGrid(random);
    const questions = gridQuestions(random, plan, 5);
    assert.is(questions.length, 5);
    for (const asked of questions) {
      assert.is(asked.answer, answerOf(asked, plan.cells), asked.question);
      assert.is(asked.question, asked.question.toLowerCase());
    }
  }
});

test("counts 0 to 4 and yes and no are about equally frequent", () => {
  const random = makeRandom(2);
  const asked = Array.from({ length: 4000 }, () => gridQuestions(random, planGrid(random), 5)).flat();
  const share = (type: string, answer: string): number => {
    const ofType = asked.filter((question) => question.type === type);
    return ofType.filter((question) => question.answer === answer).length / ofType.length;
  };
  for (const count of ["0", "1", "2", "3", "4"]) assert.ok(Math.abs(share("count", count) - 0.2) < 0.02, count);
  assert.ok(Math.abs(share("compare", "yes") - 0.5) < 0.03);
});

test("a grid of equal digits has no larger one", () => {
  const plan = { cells: [3, 3, 3, 3], counted: 3 } as const;
  for (let i = 0; i < 50; i++) {
    const asked = compareQuestion(makeRandom(3, i), plan, new Set());
    assert.ok(asked === undefined || asked.answer === "no");
  }
});

test.run();
