// The worker of the page: holds the model, answers, estimates, measures. One piece of work at a time; settings and stop come in
// between tokens and rounds.

import {
  allTargets,
  type Control,
  chooseTargets,
  fastestOf,
  type HostProfile,
  InputError,
  type Platform,
  parseHost,
  SHIPPED_MODEL,
  type Target,
  type TargetStatus,
  targetName,
  UnavailableError,
} from "../../../src/browser.js";
import type { Answer, Event, GivenFile, Pixels, Request, Work } from "../protocol.js";
import { DEFAULT_SETTINGS, type Settings } from "../settings.js";
import { benchWork, calibrateWork } from "./bench.js";
import { shapeRun, tokenRun } from "./dry-runs.js";
import { type Asked, ask, type Engine, openEngine } from "./engine.js";
import { pageEnvironment } from "./environment.js";
import { estimate } from "./estimate.js";
import { messageOf } from "./faults.js";
import { ownFiles, shippedPlatform } from "./files.js";
import { type Memory, openMemoryModel, type Run } from "./memory.js";
import { decodePicture } from "./picture.js";
import { openQueue } from "./queue.js";

const PROGRESS_MS = 50;

interface Begun {
  readonly platform: Platform;
  readonly version: string;
  readonly memory: Memory;
  readonly targets: readonly TargetStatus[];
}

interface Opened {
  /** null: the shipped model. */
  readonly files: readonly GivenFile[] | null;
  readonly engine: Engine;
  readonly token: Run;
  readonly shape: Run;
}

let begun: Promise<Begun> | null = null;
let opened: Opened | null = null;
let kept: Pixels | null = null;
let asked: Asked | null = null;
let profile: HostProfile | null = null;
let settings: Settings = DEFAULT_SETTINGS;
let hidden = false;
let isTelling = false;
let lastProgressMs = 0;

const post = (event: Event) => postMessage(event);
const queue = openQueue((id, answer) => post({ kind: "done", id, answer }));
const channel = new MessageChannel();

/** Lets messages in, without the delay that timers have. */
const breathe = () =>
  new Promise<void>((done) => {
    channel.port1.onmessage = () => done();
    channel.port2.postMessage(null);
  });

function progress(stage: string, done: number, total: number): void {
  const now = performance.now();
  if (now - lastProgressMs < PROGRESS_MS) return;
  lastProgressMs = now;
  post({ kind: "progress", stage, done, total });
}

const control: Control = {
  clock: { nowNs: () => performance.now() * 1e6 },
  progress: ({ stage, done, total }) => progress(stage, done, total),
  async stopped() {
    await breathe();
    // A hidden tab is slowed down by its browser: nothing measured there would hold.
    if (hidden && !queue.stopped()) {
      post({ kind: "note", message: "Paused while this tab is in the background; it goes on when you come back." });
      while (hidden && !queue.stopped()) await new Promise((done) => setTimeout(done, 100));
      if (!queue.stopped()) post({ kind: "note", message: "Goes on." });
    }
    return queue.stopped();
  },
};

async function begin(base: string, version: string): Promise<Begun> {
  const platform = shippedPlatform(base);
  const targets = await allTargets(platform, platform.cpuCount);
  post({ kind: "targets", targets });
  return { platform, version, targets, memory: await openMemoryModel(platform) };
}

function tellEstimate({ memory }: Begun): void {
  if (!opened) return;
  const { token, shape } = opened;
  try {
    post({
      kind: "estimate",
      estimate: estimate({ memory, settings, host: profile ?? memory.frozen, token, shape, asked }),
    });
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    post({ kind: "note", message: error.message });
  }
}

/** Once for all settings that came while the worker was at something else. */
function tellSoon(): void {
  if (isTelling) return;
  isTelling = true;
  setTimeout(() => {
    isTelling = false;
    begun?.then(tellEstimate).catch(() => {});
  }, 0);
}

/** Opens files on a target; the model that was open stays in use when they cannot be opened. */
async function openOn(here: Begun, files: Opened["files"], target: Target): Promise<Engine> {
  const own = files ? await ownFiles(here.platform, files) : null;
  const path = own?.path ?? here.platform.packagePath(SHIPPED_MODEL);
  progress(`opening on ${targetName(target)}`, 0, 1);
  const engine = await openEngine(own?.platform ?? here.platform, path, target, progress);
  await opened?.engine.close();
  asked = null;
  const { graph } = engine.loaded;
  opened = { files, engine, token: await tokenRun(graph, target), shape: await shapeRun(target) };
  tellEstimate(here);
  return engine;
}

async function openWork(here: Begun, { files, target: name }: Extract<Work, { kind: "open" }>): Promise<Answer> {
  const target = fastestOf(chooseTargets(name === null ? "fastest" : [name], here.targets, 0));
  if (!target) throw new UnavailableError(name ?? "every target", "it cannot run", "Choose another target");
  return { kind: "opened", model: (await openOn(here, files, target)).facts };
}

async function askOn(
  { platform, memory }: Begun,
  { engine }: Opened,
  { prompt, pixels }: Extract<Work, { kind: "ask" }>,
): Promise<Asked> {
  return ask(engine, prompt, pixels === "kept" ? kept : pixels, {
    platform,
    onText: (text) => post({ kind: "text", text }),
    waitNs: (run, index, measuredNs) =>
      settings.clock === "spin" ? memory.delayNs(run, index, settings, profile ?? memory.frozen, measuredNs) : 0,
    stopped: async () => {
      await breathe();
      return queue.stopped();
    },
  });
}

/** Answers; where the GPU fails meanwhile, the CPU takes the model over and answers from the beginning. */
async function askWork(here: Begun, work: Extract<Work, { kind: "ask" }>): Promise<Answer> {
  if (!opened) throw new InputError("question", "", "no model is open", "Open one first");
  try {
    asked = await askOn(here, opened, work);
  } catch (error) {
    const target = fastestOf(chooseTargets("fastest", here.targets, 0));
    const isOnGpu = opened.engine.facts.target.backend === "webgpu";
    if (!(error instanceof UnavailableError) || !isOnGpu || !target) throw error;
    const message = `The GPU failed while it answered: ${error.reason}. The answer begins anew on ${targetName(target)}.`;
    post({ kind: "note", message });
    const { facts } = await openOn(here, opened.files, target);
    post({ kind: "reopened", model: facts });
    asked = await askOn(here, opened, work);
  }
  tellEstimate(here);
  return { kind: "asked", answer: asked.facts };
}

async function doWork(here: Begun, work: Work): Promise<Answer> {
  const { platform, version } = here;
  switch (work.kind) {
    case "open":
      return openWork(here, work);
    case "ask":
      return askWork(here, work);
    case "picture": {
      const { whole, preview } = await decodePicture(work.file, work.name);
      kept = whole;
      return { kind: "decoded", width: whole.width, height: whole.height, preview };
    }
    case "bench":
      return benchWork(platform, work, profile, pageEnvironment(version), control);
    case "calibrate": {
      const calibrated = await calibrateWork(platform, pageEnvironment(version), control);
      profile = calibrated.profile;
      tellEstimate(here);
      return calibrated.answer;
    }
    default:
      return work satisfies never;
  }
}

async function answerWork(work: Work): Promise<Answer> {
  try {
    if (!begun) throw new Error("work came before the beginning");
    return await doWork(await begun, work);
  } catch (error) {
    return { kind: "failed", message: messageOf(error) };
  }
}

async function takeProfile(text: string): Promise<void> {
  profile = parseHost("stored calibration", text);
  if (begun) tellEstimate(await begun);
}

globalThis.onmessage = ({ data }: MessageEvent<Request>) => {
  const tellFault = (error: unknown) => post({ kind: "note", message: messageOf(error) });
  switch (data.kind) {
    case "begin":
      settings = data.settings;
      begun = begin(data.base, data.version);
      begun.catch(tellFault);
      break;
    case "work":
      queue.add(data.id, () => answerWork(data.work));
      break;
    case "settings":
      settings = data.settings;
      tellSoon();
      break;
    case "profile":
      takeProfile(data.text).catch(tellFault);
      break;
    case "hidden":
      hidden = data.hidden;
      break;
    case "stop":
      queue.stop(data.id);
      break;
    default:
      data satisfies never;
  }
};
