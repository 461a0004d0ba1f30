// One watch from a process to its result: picks model and source, runs the loop, writes epochs as they come.

import { closeSync, openSync, writeSync } from "node:fs";
import type { NativeAddon } from "../../core/native.js";
import type { CounterSession, Platform } from "../../core/ports.js";
import type { DelayModelName } from "../../core/trace.js";
import type { MappingLines, WatchedEpoch, WatchResult } from "../../core/watch.js";
import { timelineHtml } from "../../report/timeline.js";
import { timelineEpochs, watchHead, watchLine, watchSections } from "../../report/watch.js";
import { watch } from "../../run/watch.js";
import { type Debt, openDebt } from "../../run/watch-inject.js";
import { openTotals, type TotalsBook } from "../../run/watch-totals.js";
import type { Parsed } from "../flags.js";
import { checkWritable, htmlAssets, refuseSameFile } from "../outputs.js";
import type { WatchSettings } from "../watch-flags.js";
import { openLiveTable } from "./live-table.js";
import type { Stopper } from "./stopper.js";
import { modelFor, type WatchModel } from "./watch-model.js";
import type { ChosenSource } from "./watch-sources.js";
import { cachedRegions } from "./watched-memory.js";
import type { WatchedProcess } from "./watched-process.js";

export interface WatchJob {
  readonly platform: Platform;
  readonly addon: NativeAddon;
  readonly parsed: Parsed;
  readonly settings: WatchSettings;
  readonly model: WatchModel;
  readonly chosen: ChosenSource;
  readonly command: readonly string[];
  readonly process: WatchedProcess;
  /** null: predict only. */
  readonly stopper: Stopper | null;
  readonly live: boolean;
  /** When the program was let go, or the watch began. */
  readonly startNs: number;
  readonly stopped: () => boolean;
  /** As WatchParts has it. */
  readonly keepBack: ((ns: number) => Promise<number>) | null;
}

/** What a watch leaves to its command. */
export interface Watched {
  readonly result: Omit<WatchResult, "program" | "baseline" | "measuredSlowdown" | "bound">;
  readonly book: TotalsBook;
  readonly programEnded: boolean;
}

/** Files of the flags, tried before anything runs. */
export async function checkOutputs(parsed: Parsed): Promise<void> {
  const flags = ["export-json", "export-jsonl", "export-html"];
  refuseSameFile(parsed, flags);
  for (const flag of flags) {
    const path = parsed.text(flag);
    if (path !== undefined) await checkWritable(`--${flag}`, path);
  }
}

/** Longer epochs are read one by one. */
const MOST_GATHERED_NS = 25e6;
/** Lines are written in pieces of this size. */
const PIECE = 1 << 16;

function openLines(path: string | undefined, head: string) {
  if (path === undefined) return null;
  const fd = openSync(path, "w");
  let waiting = head;
  const flush = () => {
    if (waiting !== "") writeSync(fd, waiting);
    waiting = "";
  };
  return {
    write(line: string) {
      waiting += line;
      if (waiting.length > PIECE) flush();
    },
    close() {
      flush();
      closeSync(fd);
    },
  };
}

export function watchedModel({ model, chosen }: Pick<WatchJob, "model" | "chosen">): DelayModelName {
  return model.asked ?? modelFor(chosen.status.events.filter((one) => one.available).map(({ event }) => event));
}

/** Watches until the end, the time limit, or a stop. The session is closed, the process is not. */
export async function runWatch(job: WatchJob, session: CounterSession): Promise<Watched> {
  const { platform, parsed, settings, model, chosen, process, stopper } = job;
  const { clock } = platform;
  const { topology, host } = model;
  const delayModel = watchedModel(job);
  const evaluate = model.evaluator(delayModel);
  const book = openTotals();
  const debt: Debt | null = stopper && settings.inject ? openDebt((ns) => stopper.stop(process.pid, ns)) : null;
  const regions = cachedRegions(clock);
  // Where nothing is to be done at the end of an epoch, several are read before we wake up for them.
  const wait = (ns: number) =>
    debt || !session.gather || ns > MOST_GATHERED_NS
      ? process.wait(ns)
      : process.waitBy((pidfd, mostNs) => session.gather?.(pidfd, ns, mostNs) ?? false);
  const pools = topology.pools.map(({ name }) => name);
  const facts = { source: chosen.source.name, topology: topology.name, model: delayModel, host: host.hash, pools };
  const lines = openLines(parsed.text("export-jsonl"), watchHead({ command: job.command, pid: process.pid, ...facts }));
  const { startNs } = job;
  const live = openLiveTable(job.live, startNs);
  const options = { startNs, epochNs: settings.epochNs, durationNs: settings.durationNs };
  try {
    const parts = {
      ...{ clock, session, pools: pools.length, wait, place: model.place, evaluate, debt },
      regions: () => session.regions?.() ?? regions(process.pid),
      slowFactor: settings.slowFactor,
      stopped: job.stopped,
      keepBack: job.keepBack,
      onEpoch(epoch: WatchedEpoch, mappings: () => readonly MappingLines[] | null) {
        book.add(epoch);
        lines?.write(watchLine(epoch, pools.length, mappings()));
        live.show(book.total, clock.nowNs());
      },
    };
    const { programEnded, wallNs } = await watch(parts, options);
    const { requestedNs = 0, achievedNs = 0, stops = 0, atEndNs = 0 } = debt ?? {};
    const injection = debt && stopper ? { method: stopper.method, requestedNs, achievedNs, stops, atEndNs } : null;
    const { injectedNs: _, ...total } = book.total();
    const result = {
      ...{ schemaVersion: 1 as const, kind: "watch" as const, command: job.command, pid: process.pid },
      ...{ source: chosen.source.name, sourceDetail: chosen.status.detail, events: chosen.status.events },
      ...{ model: delayModel, topology: topology.name, host: host.hash, placement: model.rules, ...total },
      ...(session.incomplete ? { delay: null, slowdown: null, predictedNs: 0, incomplete: true } : {}),
      ...{ wallNs, injection, notes: session.notes },
    };
    return { result, book, programEnded };
  } finally {
    live.clear();
    lines?.close();
    session.close();
  }
}

/** Writes the files of the flags. */
export async function writeWatch(job: WatchJob, result: WatchResult, book: TotalsBook): Promise<void> {
  const { platform, parsed, model } = job;
  const json = parsed.text("export-json");
  if (json) await platform.writeWhole(json, `${JSON.stringify(result, null, 2)}\n`);
  const html = parsed.text("export-html");
  if (!html) return;
  const pools = model.topology.pools.map(({ name }) => name);
  const sections = watchSections(result);
  const title = `Nibblemark: ${sections[0]?.title ?? ""}`;
  const epochs = timelineEpochs(book.history(), pools.length);
  await platform.writeWhole(html, timelineHtml({ title, pools, epochs, sections }, await htmlAssets()));
}
