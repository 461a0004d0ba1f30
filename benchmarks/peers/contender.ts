// What every contender's file offers: it opens a case's work and gives the arms that can be timed, each with its error
// against float64 where that can be known.

import type { ContenderName, Work } from "./case.js";

export interface Done {
  /** Matrices or tokens. */
  readonly amount: number;
  /** Time by the contender's own clock, where only that leaves out what is not meant. */
  readonly ns?: number;
}

export interface Arm {
  /** Does one sample. */
  run(): Promise<Done>;
  /** Relative L2 error against float64; null where there is nothing to compare. */
  error(): Promise<number | null>;
}

export interface Opened {
  /** Version of the package and what it says of itself. */
  readonly about: string;
  readonly arms: Readonly<Record<string, Arm>>;
  close(): Promise<void>;
}

export type OpenContender = (work: Work, threads: number, name: ContenderName) => Promise<Opened>;
