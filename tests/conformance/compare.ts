// Cases on a backend against the reference: what is wrong, by name. Runs in Node and in pages.

import type { Backend } from "../../src/core/ports.js";
import { type Case, joinCases, relativeError, runCase } from "./case.js";

export interface Difference {
  readonly name: string;
  readonly tolerance: number;
  readonly error: number;
}

/** Runs all cases side by side on both backends, which it closes. */
export async function differences(backend: Backend, reference: Backend, cases: readonly Case[]): Promise<Difference[]> {
  const joined = joinCases(cases);
  const owners = cases.flatMap((entry) => entry.ops.filter(({ kind }) => kind === "output").map(() => entry));
  const expected = await runCase(reference, joined);
  const outputs = await runCase(backend, joined);
  return owners
    .map(({ name, tolerance }, i) => ({ name, tolerance, error: relativeError(outputs[i], expected[i]) }))
    .filter(({ tolerance, error }) => !(error <= tolerance));
}
