// Reads a page trace: a head line {"kind":"page-trace","pageCount":N} and one line an epoch, {"nativeNs":..., "pages":[[page, lines
// read, lines written], ...]} (docs/policies.md).

import { InputError } from "../core/errors.js";
import type { PageEpoch, PageTouch, PageTrace } from "../core/pages.js";

const MAX_PAGES = 2 ** 22;

export interface ReadPageTrace extends PageTrace {
  /** Lines that were left out, with why. */
  readonly lost: readonly { readonly line: number; readonly problem: string }[];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isCount = (value: unknown): value is number => typeof value === "number" && value >= 0 && value <= 1e15;

/** Whether a text's first line is the head of a page trace. */
export function isPageTrace(text: string): boolean {
  const head = parse(text.slice(0, text.indexOf("\n") < 0 ? text.length : text.indexOf("\n")));
  return (head as { kind?: unknown } | null)?.kind === "page-trace";
}

/** What is wrong with one touch, or null. */
function faultOf(touch: unknown, pageCount: number): string | null {
  if (!Array.isArray(touch) || touch.length < 2 || touch.length > 3) return "is no [page, read, written]";
  const [page, read, written = 0] = touch;
  if (!Number.isInteger(page) || page < 0 || page >= pageCount)
    return `page ${page} is not below pageCount ${pageCount}`;
  return isCount(read) && isCount(written) ? null : "has counts that are negative, infinite or missing";
}

function epochOf(text: string, pageCount: number): PageEpoch | string {
  const data = parse(text) as { nativeNs?: unknown; pages?: unknown } | null | undefined;
  if (typeof data !== "object" || data === null) return "is no JSON object";
  const { nativeNs, pages } = data;
  if (!isCount(nativeNs) || nativeNs === 0) return "nativeNs must be a number of ns above 0";
  if (!Array.isArray(pages)) return "pages must be a list of [page, read, written]";
  for (const [i, touch] of pages.entries()) {
    const fault = faultOf(touch, pageCount);
    if (fault) return `pages[${i}] ${fault}`;
  }
  return { nativeNs, pages: pages.map(([page, read, written = 0]): PageTouch => [page, read, written]) };
}

/** Parses a page trace. Throws InputError that names the line; with `keepGoing` broken lines are left out and listed. */
export function parsePageTrace(source: string, text: string, keepGoing: boolean): ReadPageTrace {
  const [head = "", ...rest] = text.split("\n");
  const { pageCount } = parse(head) as { pageCount?: unknown };
  if (!Number.isInteger(pageCount) || (pageCount as number) < 1 || (pageCount as number) > MAX_PAGES) {
    throw new InputError(source, "line 1: pageCount", `is ${pageCount}`, `Give 1 to ${MAX_PAGES} pages of 4 KiB.`);
  }
  const lost: { line: number; problem: string }[] = [];
  const epochs = rest.flatMap((line, i): PageEpoch[] => {
    if (line.trim() === "") return [];
    const epoch = epochOf(line, pageCount as number);
    if (typeof epoch !== "string") return [epoch];
    if (!keepGoing) throw new InputError(source, `line ${i + 2}`, epoch, "Mend it, or use --keep-going.");
    lost.push({ line: i + 2, problem: epoch });
    return [];
  });
  if (epochs.length === 0) throw new InputError(source, "", "has no epochs", "Give a trace with at least one.");
  return { pageCount: pageCount as number, epochs, lost };
}
