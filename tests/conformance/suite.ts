// The table of cases that every backend must compute as the reference does: each op kind, odd shapes, grouped heads, both
// rope styles, ragged groups, every storage and activation format, one and many rows.

import type { Case } from "./case.js";
import { linearCases } from "./cases-linear.js";
import { otherCases } from "./cases-other.js";

export const SUITE: readonly Case[] = [...linearCases(), ...otherCases()];
