// Typed reading of a parsed JSON config: each getter knows the file and field for its message and Hugging Face's default.

import { InputError } from "../core/errors.js";

export interface Fields {
  /** A whole number from 1 to `most`. */
  count(name: string, otherwise: number, most?: number): number;
  number(name: string, otherwise: number): number;
  flag(name: string, otherwise: boolean): boolean;
  text(name: string, otherwise: string): string;
  /** A nested object; missing or null is an empty one. */
  object(name: string): Fields;
  has(name: string): boolean;
  raw(name: string): unknown;
  fail(name: string, problem: string, remedy?: string): InputError;
}

/** Sizes beyond this are lies: no tensor of such a side was ever stored. */
const MOST = 2 ** 31 - 1;

/** Getters over one JSON object. @param path where the object stands in the file, "" for its root */
export function fieldsOf(file: string, value: unknown, path = ""): Fields {
  const ownRemedy = `Use the ${file.slice(file.lastIndexOf("/") + 1)} that belongs to this checkpoint`;
  const fail = (name: string, problem: string, remedy = ownRemedy) =>
    new InputError(file, path + name, problem, remedy);
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw fail("", "is no JSON object");
  const values = value as Readonly<Record<string, unknown>>;
  const read = <T>(name: string, otherwise: T, is: (found: unknown) => boolean, kind: string): T => {
    const found = values[name] ?? otherwise;
    if (is(found)) return found as T;
    throw fail(name, `is ${JSON.stringify(found)}, ${kind} was expected`);
  };
  return {
    count: (name, otherwise, most = MOST) => {
      const fits = (n: unknown) => Number.isSafeInteger(n) && (n as number) >= 1 && (n as number) <= most;
      return read(name, otherwise, fits, `a count from 1 to ${most}`);
    },
    number: (name, otherwise) => read(name, otherwise, (n) => Number.isFinite(n), "a number"),
    flag: (name, otherwise) => read(name, otherwise, (flag) => typeof flag === "boolean", "true or false"),
    text: (name, otherwise) => read(name, otherwise, (text) => typeof text === "string", "a text"),
    object: (name) => fieldsOf(file, values[name] ?? {}, `${path}${name}.`),
    has: (name) => values[name] !== undefined && values[name] !== null,
    raw: (name) => values[name],
    fail,
  };
}
