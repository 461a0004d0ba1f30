// Typed reading of a GGUF file's metadata: each getter knows the file and the key for its message.

import { InputError } from "../../core/errors.js";
import type { GgufFile } from "./header.js";
import type { MetaValue } from "./types.js";

const MOST = 2 ** 31 - 1;
const REMEDY = "Convert the model again with a current llama.cpp";

export interface GgufFields {
  /** A whole number from 1 to `most`. Without `otherwise` the key must be there. */
  count(key: string, otherwise?: number, most?: number): number;
  number(key: string, otherwise?: number): number;
  flag(key: string, otherwise: boolean): boolean;
  text(key: string, otherwise?: string): string;
  /** A list of texts, or null. */
  texts(key: string): readonly string[] | null;
  /** A list of numbers, or null. */
  numbers(key: string): ArrayLike<number> | null;
  has(key: string): boolean;
  fail(key: string, problem: string, remedy?: string): InputError;
}

export function ggufFields({ metadata, source }: GgufFile): GgufFields {
  const fail = (key: string, problem: string, remedy = REMEDY) => new InputError(source.name, key, problem, remedy);
  const read = <T>(key: string, otherwise: T | undefined, is: (value: unknown) => boolean, kind: string): T => {
    const value = metadata.get(key) ?? otherwise;
    if (value === undefined) throw fail(key, "is missing");
    if (is(value)) return value as T;
    throw fail(key, `is ${shown(value as MetaValue)}, ${kind} was expected`);
  };
  return {
    count: (key, otherwise, most = MOST) =>
      read(
        key,
        otherwise,
        (n) => Number.isSafeInteger(n) && (n as number) >= 1 && (n as number) <= most,
        `a count from 1 to ${most}`,
      ),
    number: (key, otherwise) => read(key, otherwise, (n) => Number.isFinite(n), "a number"),
    flag: (key, otherwise) => read(key, otherwise, (value) => typeof value === "boolean", "true or false"),
    text: (key, otherwise) => read(key, otherwise, (value) => typeof value === "string", "a text"),
    texts(key) {
      const value = metadata.get(key);
      if (value === undefined) return null;
      if (Array.isArray(value) && value.every((text) => typeof text === "string")) return value;
      throw fail(key, "is no list of texts");
    },
    numbers(key) {
      const value = metadata.get(key);
      if (value === undefined) return null;
      if (ArrayBuffer.isView(value)) return value as Float32Array;
      if (Array.isArray(value) && value.every((n) => typeof n === "number")) return value;
      throw fail(key, "is no list of numbers");
    },
    has: (key) => metadata.has(key),
    fail,
  };
}

const shown = (value: MetaValue): string =>
  typeof value === "object" ? `a list of ${value.length}` : JSON.stringify(value).slice(0, 80);
