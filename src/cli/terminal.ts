// What the user sees while and after a command runs: colours, progress bar and warnings on stderr, results on stdout.

import pc from "picocolors";
import type { Painter } from "../report/table.js";
import { PLAIN } from "../report/table.js";
import type { Progress } from "../run/parts.js";
import type { Parsed } from "./flags.js";

const BAR_WIDTH = 24;

/** Colours for stdout: none for pipes, files, NO_COLOR and --no-color. */
export function painter(parsed: Parsed): Painter {
  const wanted = process.stdout.isTTY && !parsed.on("no-color") && !process.env.NO_COLOR;
  if (!wanted) return PLAIN;
  const colors = pc.createColors(true);
  return { title: colors.bold, faint: colors.dim, warning: colors.yellow };
}

/** `measuring tiny [######------] 12/24, 8 s left` */
export function progressLine({ stage, done, total }: Progress, elapsedMs: number): string {
  const share = total > 0 ? Math.min(1, done / total) : 0;
  const bar = "#".repeat(Math.round(share * BAR_WIDTH)).padEnd(BAR_WIDTH, "-");
  const left = share > 0.02 && elapsedMs > 500 ? `, ${Math.ceil((elapsedMs * (1 - share)) / share / 1000)} s left` : "";
  return `${stage} [${bar}] ${done}/${total}${left}`;
}

export interface ProgressBar {
  show(progress: Progress): void;
  clear(): void;
}

/** A bar on a terminal; elsewhere one line a stage, so that logs stay short; nothing when quiet. */
export function progressBar(quiet: boolean, stream: NodeJS.WriteStream = process.stderr): ProgressBar {
  let stage = "";
  let startedMs = 0;
  return {
    show(progress) {
      if (quiet) return;
      const isNew = progress.stage !== stage;
      if (isNew) {
        stage = progress.stage;
        startedMs = performance.now();
      }
      if (stream.isTTY) {
        const line = progressLine(progress, performance.now() - startedMs);
        stream.write(`\r\u001b[2K${line.slice(0, (stream.columns ?? 80) - 1)}`);
      } else if (isNew) stream.write(`${stage}\n`);
    },
    clear() {
      if (!quiet && stream.isTTY) stream.write("\r\u001b[2K");
    },
  };
}
