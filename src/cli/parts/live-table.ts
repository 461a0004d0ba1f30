// The table that refreshes on stderr while a program is watched.

import { writeSync } from "node:fs";
import { digits, timeText } from "../../report/format.js";
import type { WatchTotals } from "../../run/watch-totals.js";

/** Refreshed so often. */
const EVERY_NS = 250e6;

/** Writes to stderr without making it a stream: the program may share it, and streams make it non-blocking. */
export function writeStderr(text: string): void {
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(2, bytes, done);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EAGAIN") continue;
      return;
    }
  }
}

function linesOf(total: WatchTotals, elapsedNs: number): string[] {
  const { counters, delay, slowdown, nativeNs, onCpuNs } = total;
  const seconds = Math.max(1e-9, nativeNs / 1e9);
  const predicted =
    delay && slowdown
      ? `predicted ${slowdown[0].toFixed(3)}x to ${slowdown[1].toFixed(3)}x, delay so far ${timeText(delay.slowestNs[1])}`
      : "predicted -";
  const { cycles, instructions, taskClockNs: _, probes, touched, ...others } = counters;
  const ipc =
    cycles && instructions !== undefined ? [`${(instructions / cycles).toFixed(2)} instructions a cycle`] : [];
  const aimed = probes === undefined ? [] : [`${probes} probes, ${touched} touched`];
  const rates = Object.entries(others).map(([name, count]) => `${name} ${digits(count / seconds)}/s`);
  return [
    `nibblemark: ${timeText(elapsedNs)}, ${total.epochs} epochs, ${digits(onCpuNs / Math.max(1, nativeNs))} cores busy`,
    `  ${predicted}${total.injectedNs > 0 ? `, injected ${timeText(total.injectedNs)}` : ""}`,
    `  ${[...ipc, ...aimed, ...rates].join(", ") || "nothing counted"}`,
  ];
}

export interface LiveTable {
  show(total: () => WatchTotals, nowNs: number): void;
  clear(): void;
}

/** `on`: draws; else does nothing. */
export function openLiveTable(on: boolean, startNs: number): LiveTable {
  let drawn = 0;
  let dueNs = startNs + EVERY_NS;
  const erase = () => (drawn > 0 ? `\u001b[${drawn}A\u001b[0J` : "");
  return {
    show(total, nowNs) {
      if (!on || nowNs < dueNs) return;
      dueNs = nowNs + EVERY_NS;
      const lines = linesOf(total(), nowNs - startNs).map((line) => line.slice(0, 110));
      writeStderr(`${erase()}${lines.join("\n")}\n`);
      drawn = lines.length;
    },
    clear() {
      if (on) writeStderr(erase());
      drawn = 0;
    },
  };
}
