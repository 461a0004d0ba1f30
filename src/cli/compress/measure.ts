// What each stage costs: size, memory to run, quality beside the original, whether answers still depend on the picture, speed. All
// of a folder as it stands on disk, by the same runtime that `run` uses.

import { openComparer } from "../../backends/wasm/compare.js";
import type { StageReport } from "../../core/compression.js";
import { type KvFormat, tensorBytes } from "../../core/op.js";
import type { Platform } from "../../core/ports.js";
import { elementCount } from "../../core/tensor.js";
import type { Figure } from "../../core/units.js";
import type { Control, EvalSet, Subject } from "../../run/parts.js";
import { measureQuality } from "../../run/quality.js";
import { chooseTargets } from "../../run/targets.js";
import { evalFolders, loadEvalSet } from "../parts/evalset.js";
import { type OpenModels, openSubjects } from "../parts/subjects.js";

export interface Place {
  readonly stage: StageReport["stage"];
  readonly path: string;
  /** Keys and values of past positions; absent: f32. */
  readonly kv?: KvFormat;
}

/** Windows of text that are read: some thousand tokens. */
const WINDOWS = 24;
const CONTEXT = 1024;
const [SPEED_PROMPT, SPEED_DECODE] = [64, 32];
const BLANK_QUESTIONS = 40;

/** Reports of the original (first) and of every stage. @param origin where the evaluation set is looked for: the original's folder */
export async function measureStages(
  platform: Platform,
  places: readonly Place[],
  threads: number,
  control: Control,
): Promise<StageReport[]> {
  const subjects = await openSubjects(platform, threads);
  try {
    const [original, ...rest] = places;
    const set = await evalSetOf(platform, subjects, original);
    const reports: StageReport[] = [];
    const measured = new Map<Place, Record<string, Figure>>();
    for (const place of rest.length > 0 ? rest : [original]) {
      const found = await qualityOf(platform, subjects, original, place, set, threads, control);
      measured.set(original, found.base);
      measured.set(place, found.own);
    }
    for (const place of places) {
      control.progress({ stage: `timing the ${place.stage} model`, done: 0, total: 1 });
      const figures = { ...measured.get(place), ...(await speedOf(subjects, place, threads)) };
      reports.push({ ...(await sizesOf(subjects, place, threads)), figures });
    }
    return reports;
  } finally {
    await subjects.close();
  }
}

const ref = ({ path }: Place) => ({ kind: "file", path }) as const;

async function evalSetOf(platform: Platform, subjects: OpenModels, place: Place): Promise<EvalSet | null> {
  const model = await subjects.model(ref(place));
  const set = await loadEvalSet(platform, model, await evalFolders(platform, model));
  return set && { ...set, windows: set.windows.slice(0, WINDOWS) };
}

async function open(
  subjects: OpenModels,
  place: Place,
  threads: number,
  positions: number,
  activations: "f32" | "int8",
): Promise<Subject | null> {
  const target = chooseTargets("fastest", await subjects.targets("fastest"), threads)[0];
  if (!target) return null;
  const model = await subjects.model(ref(place));
  const most = Math.min(positions, model.config.decoder.maxContext);
  const room = { positions: most, logitRows: Math.min(128, most) };
  const kv = place.kv ?? "f32";
  return subjects.open({ model: ref(place), target, quant: "stored", activations, kv, seed: 1, room });
}

async function qualityOf(
  platform: Platform,
  subjects: OpenModels,
  original: Place,
  place: Place,
  set: EvalSet | null,
  threads: number,
  control: Control,
): Promise<{ readonly base: Record<string, Figure>; readonly own: Record<string, Figure> }> {
  const base = await open(subjects, original, threads, 256, "f32");
  const own = place === original ? null : await open(subjects, place, threads, 256, "f32");
  try {
    if (!base || !set) return { base: {}, own: {} };
    const named = (subject: Subject) => ({ ...subject, model: `the ${place.stage} model` });
    const comparer = await openComparer(platform);
    const results = await measureQuality(named(base), own ? [named(own)] : [], set, comparer, control);
    const shift = async (subject: Subject | null) => (subject ? blankShift(subject, set, platform) : null);
    const figures = async (index: number, subject: Subject | null) => {
      const value = await shift(subject);
      return {
        ...results[index]?.figures,
        ...(value === null ? {} : { answerShift: { value, unit: "1", source: "measured" } as const }),
      };
    };
    return { base: await figures(0, base), own: own ? await figures(1, own) : {} };
  } finally {
    await base?.close();
    await own?.close();
  }
}

/** Mean KL of the answers with the picture from those with a blank one: near 0 for a model that ignores what it sees. */
async function blankShift(subject: Subject, set: EvalSet, platform: Platform): Promise<number | null> {
  const questions = set.questions.slice(0, BLANK_QUESTIONS);
  if (!subject.image || questions.length === 0) return null;
  const comparer = await openComparer(platform);
  const session = subject.session();
  let [kl, rows] = [0, 0];
  for (const { pixels, prompt, answer } of questions) {
    const seen = pixels();
    const logits: Float32Array[] = [];
    for (const picture of [seen, new Float32Array(seen.length)]) {
      session.rewind();
      await session.see(picture);
      await session.next(prompt.slice(0, -1));
      logits.push(await session.score([...prompt.slice(-1), ...answer.slice(0, -1)]));
    }
    const found = comparer.compare(logits[0], logits[1], Int32Array.from(answer));
    kl += found.kl;
    rows += found.rows;
  }
  return kl / rows;
}

async function speedOf(subjects: OpenModels, place: Place, threads: number): Promise<Record<string, Figure>> {
  const subject = await open(subjects, place, threads, SPEED_PROMPT + SPEED_DECODE + 1, "int8");
  if (!subject) return {};
  try {
    const session = subject.session();
    const prompt = Array.from({ length: SPEED_PROMPT }, (_, i) => 5 + (i % Math.min(100, subject.vocab - 5)));
    const times = { prefill: [] as number[], decode: [] as number[] };
    for (let round = 0; round < 3; round++) {
      session.rewind();
      const begun = performance.now();
      let token = await session.next(prompt);
      const middle = performance.now();
      for (let i = 0; i < SPEED_DECODE; i++) token = await session.next([token]);
      times.prefill.push((SPEED_PROMPT * 1000) / (middle - begun));
      times.decode.push((SPEED_DECODE * 1000) / (performance.now() - middle));
    }
    const best = (list: readonly number[]): Figure => ({ value: Math.max(...list), unit: "t/s", source: "measured" });
    return { prefill: best(times.prefill), decode: best(times.decode) };
  } finally {
    await subject.close();
  }
}

async function sizesOf(subjects: OpenModels, place: Place, threads: number): Promise<Omit<StageReport, "figures">> {
  const model = await subjects.model(ref(place));
  const subject = await open(subjects, place, threads, CONTEXT, "int8");
  const stored = [...(model.stored?.values() ?? [])].filter(({ name }) => !model.tensors.has(name));
  const weights =
    [...model.tensors.values()].reduce((sum, { shape }) => sum + elementCount(shape), 0) +
    stored.reduce((sum, { rows, cols }) => sum + rows * cols, 0);
  const runBytes = subject?.specs.reduce((sum, spec) => sum + tensorBytes(spec), 0) ?? 0;
  await subject?.close();
  const { layers, maxContext } = model.config.decoder;
  return {
    ...{ stage: place.stage, layers, weightBytes: model.fileBytes, runBytes },
    bitsPerWeight: (model.fileBytes * 8) / weights,
    contextTokens: Math.min(CONTEXT, maxContext),
  };
}
