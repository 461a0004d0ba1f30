// How much the first visit loads, how soon the first token comes, and that the page's own thread is never held up for over
// 50 ms by the browser's long-task observer. That goes by the clock, which other programs lengthen: up to three visits are made,
// the load of others is measured beside each, and the trace tells the processor time that no other program can lengthen.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { haveChromium, type OpenPage, withChromium, withServer } from "../support/browser.js";
import { watchOthers } from "../support/load.js";
import { root } from "../support/root.js";
import { askDemo, benchFirstTarget, ready, showSample, site, siteOptions, statusIs } from "./page.js";

const MOST_BYTES = 1.5e6;
const MOST_MODEL_BYTES = 8e6;
const MOST_TOKEN_MS = 2000;
const MOST_TASK_MS = 50;
/** Processor time of one task; on a core of its own it takes no longer than this. */
const MOST_OWN_MS = 30;
const VISITS = 3;
/** What the page's thread writes into the trace, to tell it from those of other pages. */
const MARK = "nibblemark-visit";
/** With so many cores taken by others, what the observer sees says nothing of the page. */
const BUSY_CORES = 0.5;

/** An event of Chromium's trace: a task of a thread, with the processor time that it took, us. */
interface Traced {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly tdur?: number;
  readonly args?: {
    readonly src_file?: string;
    readonly src_func?: string;
    readonly data?: { readonly documentLoaderURL?: string };
  };
}

/**
 * Processor time of the longest task of the marked thread since the page was asked for, ms: what other programs on the machine
 * cannot lengthen. Null: a busy browser gave up waiting for that process's part of the trace.
 */
function longestTaskMs(trace: Buffer, url: string): number | null {
  const { traceEvents } = JSON.parse(trace.toString("utf8")) as { traceEvents: Traced[] };
  const mark = traceEvents.find(({ name }) => name === MARK);
  const ofThread = traceEvents.filter(({ pid, tid }) => pid === mark?.pid && tid === mark.tid);
  const start = ofThread.find((event) => event.args?.data?.documentLoaderURL === url);
  const tasks = ofThread.filter(({ name, ts }) => name.endsWith("RunTask") && ts >= (start?.ts ?? 0));
  if (tasks.length < 100) {
    console.log(`no trace of the page's thread came back: ${traceEvents.length} events, ${tasks.length} tasks of it`);
    return null;
  }
  const [longest] = tasks.sort((a, b) => (b.tdur ?? 0) - (a.tdur ?? 0));
  console.log(`longest by processor time: ${longest?.args?.src_func} of ${longest?.args?.src_file}`);
  return (longest?.tdur ?? 0) / 1000;
}

/** Sizes of what was asked for: gzipped, and the model as it is. */
function sizesOf(paths: ReadonlySet<string>) {
  const isModel = (path: string) => path.startsWith("models/");
  const bytes = (path: string) =>
    readFileSync(join(/^(build|profiles|models)\//.test(path) ? root : site, path || "index.html"));
  const sum = (picked: string[], size: (file: Buffer) => number) =>
    picked.reduce((total, path) => total + size(bytes(path)), 0);
  return {
    page: sum(
      [...paths].filter((path) => !isModel(path)),
      (file) => gzipSync(file).length,
    ),
    model: sum([...paths].filter(isModel), (file) => file.length),
  };
}

const observe = () => {
  const all: number[] = [];
  Object.assign(globalThis, { longTasks: all });
  new PerformanceObserver((list) => {
    all.push(...list.getEntries().map(({ duration }) => duration));
  }).observe({ type: "longtask", buffered: true });
};

interface Visit {
  /** Longest task of the page's thread by the observer, which tells those over 50 ms; 0: none. */
  readonly seenMs: number;
  /** Processor time of the longest task; null: not traced. */
  readonly ownMs: number | null;
  /** Cores that programs other than this test and its browser took meanwhile, on average. */
  readonly othersCores: number;
}

/** A whole visit: load, sample, answer, sliders, a benchmark. */
async function visit(url: string, open: (url: string) => Promise<OpenPage>, onReady: () => void): Promise<Visit> {
  const othersCores = watchOthers();
  const { page, faults } = await open("about:blank");
  const browser = page.context().browser();
  await browser?.startTracing(page, { categories: ["toplevel", "blink.user_timing"] });
  await page.addInitScript(observe);
  await page.goto(url);
  await ready(page);
  onReady();
  const readyMs = await page.evaluate(() => performance.now());
  await page.locator("#device dd", { hasText: "kept for the next visit" }).waitFor();
  await showSample(page, "digits.png");
  assert.is((await askDemo(page, "how many sixes?")).trim(), "2");
  const first = Number(/after ([\d.]+) ms/.exec((await page.textContent("#answer-facts")) ?? "")?.[1]);
  console.log(`ready ${Math.round(readyMs)} ms after navigation, first token ${first} ms after the question`);
  assert.ok(first <= MOST_TOKEN_MS, `${first} ms`);
  await page.selectOption("[name=cache]", "none");
  for (const value of ["100", "500", "1000", "2000"]) await page.locator("[name=latencyNs]").fill(value);
  await benchFirstTarget(page);
  await statusIs(page, /^Measured/);
  const tasks = await page.evaluate(() => (globalThis as unknown as { longTasks: number[] }).longTasks);
  await page.evaluate((name) => void performance.mark(name), MARK);
  const told: Visit = {
    seenMs: Math.max(0, ...tasks),
    ownMs: longestTaskMs((await browser?.stopTracing()) ?? Buffer.from("{}"), url),
    othersCores: othersCores(),
  };
  const seen = told.seenMs === 0 ? `none over ${MOST_TASK_MS} ms` : `${Math.round(told.seenMs)} ms`;
  console.log(
    `longest task of the page's thread: ${seen} by the observer, ${told.ownMs?.toFixed(1) ?? "unknown"} ms of processor time; others took ${told.othersCores.toFixed(2)} cores`,
  );
  assert.equal(faults, []);
  await page.close();
  return told;
}

/** Traced, and nothing seen that other programs may have lengthened: no further visit is needed. */
const isGood = ({ seenMs, ownMs }: Visit) => seenMs <= MOST_TASK_MS && ownMs !== null;

/** Fails when tasks are too long by themselves; says so where other programs leave nothing to judge by the clock. */
function judge(visits: readonly Visit[]): void {
  const ownMs = visits.flatMap((one) => one.ownMs ?? []);
  assert.ok(ownMs.length > 0, "none of the visits was traced");
  assert.ok(Math.max(...ownMs) <= MOST_OWN_MS, `${Math.max(...ownMs)} ms of processor time`);
  const seenMs = Math.min(...visits.map((one) => one.seenMs));
  const othersCores = Math.min(...visits.map((one) => one.othersCores));
  if (seenMs > MOST_TASK_MS && othersCores > BUSY_CORES) {
    const words = `other programs took ${othersCores.toFixed(2)} cores or more in each of ${visits.length} visits`;
    console.log(`skipped: the observer's limit of ${MOST_TASK_MS} ms, ${words}; the least it saw was ${seenMs} ms`);
  } else assert.ok(seenMs <= MOST_TASK_MS, `${seenMs} ms by the observer`);
}

if (haveChromium()) {
  test("small to load, quick to its first token, and never stuck", async () => {
    const asked = new Set<string>();
    let first: ReadonlySet<string> | null = null;
    const handler = async (path: string) => {
      asked.add(path);
      return false;
    };
    const visits: Visit[] = [];
    await withServer(
      async ({ url }) => {
        // A browser each: the first visit is the one that has nothing in its caches.
        while (visits.length < VISITS && !visits.some(isGood)) {
          visits.push(await withChromium((open) => visit(url, open, () => (first ??= new Set(asked)))));
        }
      },
      { ...siteOptions, handler },
    );
    const { page, model } = sizesOf(first ?? new Set());
    console.log(`first load ${page} bytes gzipped without the model, model ${model} bytes`);
    assert.ok(page > 0 && page <= MOST_BYTES, `${page} bytes`);
    assert.ok(model > 0 && model <= MOST_MODEL_BYTES, `${model} bytes`);
    judge(visits);
  });
}

test.run();
