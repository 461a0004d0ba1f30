// Command-line flags as data: each command lists its flags, and this file parses them strictly and prints them.
// Everything that is not in the table is an InputError naming the nearest flag.

import { parseArgs } from "node:util";
import { InputError } from "../core/errors.js";
import { suggest } from "./nearest.js";

export interface Flag {
  readonly name: string;
  readonly short?: string;
  /** What stands after it; none for a switch. */
  readonly value?: string;
  /** May be given several times. */
  readonly repeat?: boolean;
  readonly help: string;
}

export interface Parsed {
  readonly positionals: readonly string[];
  /** Last value of a flag. */
  text(name: string): string | undefined;
  /** All values of a flag, in order. */
  all(name: string): readonly string[];
  on(name: string): boolean;
}

/** Flags that every command has. */
const COMMON_FLAGS: readonly Flag[] = [
  { name: "quiet", short: "q", help: "no progress and no warnings on stderr" },
  { name: "no-color", help: "plain text (also: NO_COLOR=1)" },
  { name: "help", short: "h", help: "this text" },
];

function problem(command: string, flag: string, what: string, remedy: string): InputError {
  return new InputError(`nibblemark ${command}`, flag, what, remedy);
}

/** What node:util makes of the arguments, nothing judged yet. */
function tokensOf(table: readonly Flag[], args: readonly string[]) {
  const kind = (flag: Flag) => (flag.value ? ("string" as const) : ("boolean" as const));
  const options = Object.fromEntries(
    table.map((flag) => [flag.name, { type: kind(flag), ...(flag.short ? { short: flag.short } : {}) }]),
  );
  return parseArgs({ args: [...args], strict: false, allowPositionals: true, tokens: true, options }).tokens;
}

/** Parses `args` by the table; throws InputError for unknown flags, missing and unwanted values. */
export function parseFlags(command: string, flags: readonly Flag[], args: readonly string[], most = 0): Parsed {
  const table = [...flags, ...COMMON_FLAGS];
  const values = new Map<string, string[]>();
  const positionals: string[] = [];
  for (const token of tokensOf(table, args)) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const flag = table.find(({ name }) => name === token.name);
    if (!flag) {
      const names = table.map(({ name }) => `--${name}`);
      throw problem(command, token.rawName, "unknown flag", suggest(token.rawName, names));
    }
    if (flag.value && (token.value === undefined || (!token.inlineValue && /^--?[a-z]/.test(token.value)))) {
      throw problem(command, token.rawName, "needs a value", `Write --${flag.name} ${flag.value}`);
    }
    if (!flag.value && token.value !== undefined) {
      throw problem(command, token.rawName, "takes no value", `Write --${flag.name} alone`);
    }
    const before = values.get(flag.name) ?? [];
    if (before.length > 0 && flag.value && !flag.repeat) {
      throw problem(command, token.rawName, "given twice", "Give it once");
    }
    values.set(flag.name, [...before, token.value ?? ""]);
  }
  if (positionals.length > most) {
    throw problem(command, String(positionals[most]), "unexpected argument", `See nibblemark ${command} --help`);
  }
  return {
    positionals,
    text: (name) => values.get(name)?.at(-1),
    all: (name) => values.get(name) ?? [],
    on: (name) => values.has(name),
  };
}

/** The flags as aligned help lines. */
export function flagHelp(flags: readonly Flag[]): string {
  const left = [...flags, ...COMMON_FLAGS].map(
    (flag) => `${flag.short ? `-${flag.short}, ` : "    "}--${flag.name}${flag.value ? ` ${flag.value}` : ""}`,
  );
  const width = Math.max(...left.map((text) => text.length));
  return [...flags, ...COMMON_FLAGS]
    .map((flag, i) => `  ${(left[i] as string).padEnd(width)}  ${flag.help}`)
    .join("\n");
}

/** Splits at commas that stand outside parentheses, however deep. */
export function commaList(text: string): string[] {
  const parts = [""];
  let depth = 0;
  for (const letter of text) {
    if (letter === "(") depth++;
    if (letter === ")") depth--;
    if (letter === "," && depth <= 0) parts.push("");
    else parts[parts.length - 1] += letter;
  }
  return parts.map((part) => part.trim()).filter((part) => part !== "");
}

/** As commaList; the vectors after a Newick tree have commas too, so what begins with a number after a tree belongs to it. */
export function topologyList(text: string): string[] {
  const list: string[] = [];
  for (const part of commaList(text)) {
    const last = list.at(-1);
    if (last?.startsWith("(") && /^[\d.]/.test(part)) list[list.length - 1] = `${last},${part}`;
    else list.push(part);
  }
  return list;
}

/** A whole number between two bounds, or an InputError naming the flag. */
export function wholeNumber(command: string, flag: string, text: string, least: number, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw problem(command, `--${flag}`, `"${text}" is not a whole number from ${least} to ${most}`, "Give such a number");
}

/** A number between two bounds, or an InputError naming the flag. */
export function plainNumber(command: string, flag: string, text: string, least: number, most: number): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (value >= least && value <= most) return value;
  throw problem(command, `--${flag}`, `"${text}" is not a number from ${least} to ${most}`, "Give such a number");
}

/** A byte size such as 4096, 16MiB, 2GB; null when it is none. */
export function byteSize(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*(B|[KMG]i?B)?$/i.exec(text.trim());
  if (!match) return null;
  const unit = (match[2] ?? "B").toLowerCase();
  const power = { k: 1, m: 2, g: 3, b: 0 }[unit[0] as "k" | "m" | "g" | "b"];
  return Math.round(Number(match[1]) * (unit.includes("i") ? 1024 : 1000) ** power);
}
