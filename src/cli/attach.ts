// `nibblemark attach`: watches a program that runs already, its threads and its children, and leaves it as it was.

import { InputError } from "../core/errors.js";
import { loadNative } from "../platform/native.js";
import { nodePlatform } from "../platform/node.js";
import { sectionLines } from "../report/table.js";
import { watchSections } from "../report/watch.js";
import type { Command } from "./command.js";
import type { Parsed } from "./flags.js";
import { refuseOwn } from "./parts/own-processes.js";
import { openStopper } from "./parts/stopper.js";
import { suspendBetweenStops } from "./parts/suspend.js";
import { openWatchModel } from "./parts/watch-model.js";
import { checkOutputs, runWatch, writeWatch } from "./parts/watch-run.js";
import { chooseSource, openSources } from "./parts/watch-sources.js";
import { tellVainFlags } from "./parts/watch-vain.js";
import { attachTo, treeOf } from "./parts/watched-process.js";
import { painter } from "./terminal.js";
import { WATCH_FLAGS, watchSettings } from "./watch-flags.js";

const platform = nodePlatform();

/** Ctrl-C ends the watch, not the program. */
function stopOnSignals(): () => boolean {
  let asked = false;
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => (asked = true));
  return () => asked;
}

/** 2^22: the most that Linux ever gives. */
function pidOf(text: string): number {
  if (/^\d{1,7}$/.test(text) && Number(text) >= 1 && Number(text) <= 2 ** 22) return Number(text);
  throw new InputError("nibblemark attach", "PID", `"${text}" is no pid`, "Give the number of a running process (ps)");
}

async function run(parsed: Parsed): Promise<number> {
  const [text] = parsed.positionals;
  if (!text) throw new InputError("nibblemark attach", "PID", "is missing", "Give the pid of a running process.");
  const pid = pidOf(text);
  const settings = watchSettings("attach", parsed);
  await checkOutputs(parsed);
  const addon = loadNative();
  refuseOwn(addon, pid, settings.inject);
  const model = await openWatchModel(platform, parsed, settings);
  const target = attachTo(addon, pid);
  const llcBytes = model.host.llcBytes;
  const chosen = await chooseSource(await openSources(platform, addon, { llcBytes }), parsed.text("source"));
  if (chosen.source.launch) {
    throw new InputError("--source", chosen.source.name, "starts the program itself", "Use nibblemark exec.");
  }
  tellVainFlags("attach", parsed, model, chosen);
  const stopper = settings.inject ? await openStopper(addon, pid, settings.stopBy) : null;
  try {
    if (stopper) suspendBetweenStops(addon, stopper.method, pid);
    stopper?.adopt(treeOf(addon, pid));
    const live = (Boolean(process.stderr.isTTY) && !parsed.on("quiet")) || parsed.on("live");
    const stopped = stopOnSignals();
    const startNs = platform.clock.nowNs();
    const job = {
      ...{ platform, addon, parsed, settings, model, chosen, stopper, live, stopped, startNs },
      command: [],
      process: target,
      keepBack: null,
    };
    const watched = await runWatch(job, await chosen.source.open(pid, false));
    const result = {
      ...watched.result,
      ...{ program: { code: null, signal: null }, baseline: null, measuredSlowdown: null, bound: null },
    };
    await writeWatch(job, result, watched.book);
    if (settings.output === "json") process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
    if (settings.output === "table") {
      const lines = watchSections(result).flatMap((section) => sectionLines(section, painter(parsed)));
      process.stdout.write(lines.join("\n"));
    }
    return 0;
  } finally {
    stopper?.close();
    target.close();
  }
}

export const attachCommand: Command = {
  name: "attach",
  summary: "Watches a running program: what CXL memory would cost it, epoch by epoch.",
  usage: "PID [flags]",
  examples: [
    "attach 4711 --duration 10",
    "attach 4711 --topology cxl-switch --place 'heap=cxl0' --export-html timeline.html",
    "attach 4711 --slow 1.5 --duration 30",
  ],
  flags: WATCH_FLAGS,
  positionals: 1,
  run,
};
