// The table of cases that every backend must compute as the reference does: each op kind, odd shapes, grouped heads, both
// rope styles, ragged groups, every storage and activation format, one and many rows.

import type { Case } from "./case.js";
import { linearCases } from "./cases-linear.js";
import { otherCases } from "./cases-other.js";

export const SUITE: readonly Case[] = [...linearCases(), ...otherCases()];

/** Products of one token and of a few, in every format, offset and way of activations; rows of 8 columns and others. */
const BRIEF_PRODUCTS =
  /^matmul .*\[(?:9, 33|20, 172)\] x [156],|^matmul (?:f32|int8|int4-g32) \[130, 256\] x [15], f32/;
const LONG_PROMPT = /^attention .* (?:67|150|210) rows/;

/** Every op once and more, on small shapes: what a software compiler takes in seconds. */
export const BRIEF: readonly Case[] = SUITE.filter(({ name }) =>
  name.startsWith("matmul") ? BRIEF_PRODUCTS.test(name) : !LONG_PROMPT.test(name),
);
