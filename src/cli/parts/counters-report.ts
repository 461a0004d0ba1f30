// What `doctor` tells of watching programs: the addon, each source, and each event with the loop that moved it or the reason why not.

import type { SourceStatus } from "../../core/counters.js";
import { UnavailableError } from "../../core/errors.js";
import type { Platform } from "../../core/ports.js";
import { loadNative } from "../../platform/native.js";
import { left, type Section } from "../../report/section.js";
import { openSources } from "./watch-sources.js";

export interface CountersReport {
  /** null: it is there. */
  readonly addonMissing: { readonly reason: string; readonly remedy: string } | null;
  readonly sources: readonly { readonly name: string; readonly status: SourceStatus }[];
}

/** Tries every source. */
export async function countersReport(platform: Platform, llcBytes: number): Promise<CountersReport> {
  try {
    const addon = loadNative();
    const sources = await openSources(platform, addon, { llcBytes });
    const tried = [];
    for (const source of sources) tried.push({ name: source.name, status: await source.probe() });
    return { addonMissing: null, sources: tried };
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    const { reason, remedy } = error;
    return { addonMissing: { reason, remedy }, sources: [] };
  }
}

export function counterSections({ addonMissing, sources }: CountersReport): Section[] {
  const columns = [left("source"), left("works"), left("why")];
  if (addonMissing) {
    const { reason, remedy } = addonMissing;
    const rows = [["addon", "no", `${reason}. ${remedy}`]];
    return [{ title: "Watching programs (exec, attach)", columns, rows, notes: [] }];
  }
  const rows = sources.map(({ name, status }) =>
    status.available ? [name, "yes", status.detail] : [name, "no", `${status.reason}. ${status.remedy}`],
  );
  const events = sources.flatMap(({ status }) => status.events);
  // Many events with one reason are one line.
  const reasons = [...new Set(events.flatMap((one) => (one.available ? [] : [`${one.reason}. ${one.remedy}`])))];
  const missing = reasons.map((why) => {
    const names = events
      .filter((one) => !one.available && `${one.reason}. ${one.remedy}` === why)
      .map(({ event }) => event);
    return [
      names.length > 3 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", "),
      "no",
      why,
    ];
  });
  const counted = events.flatMap((one) => (one.available ? [[one.event, "yes", one.detail]] : []));
  return [
    { title: "Watching programs (exec, attach)", columns, rows, notes: [] },
    {
      title: "Events",
      columns: [left("event"), left("counts"), left("why")],
      rows: [...counted, ...missing],
      notes: events.length > 0 ? ["An event counts only if a loop with known counts moved it."] : [],
    },
  ];
}
