// Columns that only repeat their default are left out; absent figures are dashes; figures keep three digits.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { ABSENT, bytesText, digits, figureText, percentText, timeText } from "../../src/report/format.js";
import { left, right, withoutDefaults } from "../../src/report/section.js";

test("a column goes when all its cells are the default", () => {
  const section = withoutDefaults({
    title: "t",
    columns: [left("name"), right("depth", "0"), right("spin", ABSENT)],
    rows: [
      ["a", "0", ABSENT],
      ["b", "0", "5"],
    ],
    notes: [],
  });
  assert.equal(
    section.columns.map(({ label }) => label),
    ["name", "spin"],
  );
  assert.equal(section.rows, [
    ["a", ABSENT],
    ["b", "5"],
  ]);
});

test("figures have three digits and no exponent", () => {
  assert.is(digits(1234.5), "1235");
  assert.is(digits(12.345), "12.3");
  assert.is(digits(0.012345), "0.0123");
  assert.is(digits(0), "0");
  assert.is(digits(Number.NaN), ABSENT);
});

test("units suit the size", () => {
  assert.is(timeText(1.5e6), "1.50 ms");
  assert.is(timeText(-2500), "-2.50 us");
  assert.is(bytesText(1536), "1.50 KiB");
  assert.is(bytesText(100), "100 B");
  assert.is(percentText(0.051), "5.1 %");
  assert.is(figureText(undefined), ABSENT);
  assert.is(figureText({ value: 1.234, unit: "x", source: "predicted" }), "1.23x");
});

test.run();
