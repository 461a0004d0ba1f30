// What a command is: a name, a line of help, examples, flags, and what it does. src/cli/main.ts lists them.

import { type Flag, flagHelp, type Parsed } from "./flags.js";

export interface Command {
  readonly name: string;
  readonly summary: string;
  /** Lines of --help below the summary. */
  readonly details?: readonly string[];
  /** What stands after the name besides flags. */
  readonly usage: string;
  readonly examples: readonly string[];
  readonly flags: readonly Flag[];
  /** Most positional arguments. */
  readonly positionals: number;
  /** Gives the exit code. */
  run(parsed: Parsed): Promise<number>;
}

/** The text of `nibblemark NAME --help`. */
export function commandHelp({ name, summary, details = [], usage, examples, flags }: Command): string {
  const lines = examples.map((example) => `  nibblemark ${example}`);
  const above = [summary, ...details].join("\n");
  return `${above}\n\nUsage: nibblemark ${name} ${usage}\n\nFlags:\n${flagHelp(flags)}\n\nExamples:\n${lines.join("\n")}\n`;
}
