// The stages of a compression as folders on disk: pruned, healed, quantized, each written once and found again after a kill.

import { keptLayers, prunedSettings, prunedSource } from "../../compress/prune.js";
import { ggufTypeOf, isRounded, schemeName } from "../../compress/scheme.js";
import type { CompressionReport } from "../../core/compression.js";
import { InputError } from "../../core/errors.js";
import type { Group } from "../../core/packed.js";
import type { SourceTensor, WriteSource, WrittenType } from "../../core/write.js";
import { type GgufPlan, writeGgufFolder } from "../../formats/gguf-folder.js";
import { vocabularyMetadata } from "../../formats/gguf-vocabulary.js";
import { hfFilesOf } from "../../formats/hf-files.js";
import { type HfPlan, writeHfFolder } from "../../formats/hf-write.js";
import { KV_PROVENANCE, KV_SETTING } from "../../formats/kv-choice.js";
import { ownType } from "../../formats/own-type.js";
import { outputFolder } from "../../platform/node-output.js";
import type { PictureSet } from "./calibset.js";
import { type Engine, openEngine, withValues } from "./engine.js";
import { modeOf, replaceMeSource, sftValues } from "./healing.js";
import type { Journal } from "./journal.js";
import type { Place } from "./measure.js";
import { type OnStage, quantizeSource, schemeOfMatrix } from "./quantizing.js";
import type { CompressRequest } from "./request.js";
import type { Scoring } from "./scoring.js";

/** As wide as the source's own numbers. */
export const OWN = { kind: "own" } as const;

/** What every stage has at hand. */
export interface Work {
  readonly engine: Engine;
  readonly request: CompressRequest;
  readonly journal: Journal;
  readonly calib: PictureSet | null;
  readonly general: PictureSet | null;
  readonly warnings: readonly string[];
  readonly onStage: OnStage;
  readonly say: (line: string) => void;
}

type GgufForm = { readonly kind: "gguf" } & Pick<GgufPlan, "type" | "typeOf">;

/** Where a stage's folder stands; written once. */
export async function writeStage(
  work: Work,
  name: string,
  source: WriteSource,
  scoring: Scoring,
  form: HfPlan["form"] | GgufForm,
): Promise<string> {
  const { engine, request, journal, onStage, calib } = work;
  const path = journal.path(name);
  if (await journal.has(name)) return path;
  const { platform, model, rounder } = engine;
  const folder = await outputFolder(path, { replace: true });
  const parts = {
    rounder,
    onTensor: (_: string, done: number, total: number) => {
      void onStage(`writing the ${name} model`, done, total).catch(() => {});
    },
  };
  const kept = keptLayers(model.config.decoder.layers, scoring.removed);
  const provenance = provenanceOf(request, scoring, kept, calib?.hash ?? null);
  try {
    if (form.kind === "gguf") {
      const data = model.tokenizer?.vocabulary?.();
      if (!data)
        throw new InputError(model.origin, "tokenizer", "is missing, a GGUF file needs one", "Use --format hf");
      const vocabulary = vocabularyMetadata(model.origin, data, model.config.decoder.vocab);
      await writeGgufFolder(folder, source, { ...form, vocabulary, file: "model.gguf", provenance }, parts);
    } else {
      const files = await hfFilesOf(platform, model);
      const { [KV_SETTING]: _, ...own } = prunedSettings(files.settings, model.config.decoder.layers, kept);
      const settings = request.kv === "int8" ? { ...own, [KV_SETTING]: "int8" } : own;
      await writeHfFolder(folder, source, { form, ...files, settings, provenance }, parts);
    }
    await folder.commit();
  } finally {
    await folder.discard();
  }
  return path;
}

/** What stands in the file's metadata: which blocks of which model, chosen how, from what data. */
function provenanceOf(request: CompressRequest, { removed }: Scoring, kept: readonly number[], hash: string | null) {
  const { plan, heal, criterion, prune, kv } = request;
  return {
    tool: request.tool,
    source: request.input.split(/[/\\]/).at(-1) ?? "",
    removed_layers: removed.join(","),
    original_layers: kept.join(","),
    ...(prune && "count" in prune ? { criterion } : {}),
    ...(heal.length > 0 ? { healing: heal.join(",") } : {}),
    quantization: schemeName(plan.decoder),
    ...(kv === "int8" ? { [KV_PROVENANCE]: kv } : {}),
    ...(hash === null ? {} : { calibration: hash }),
  };
}

export async function healStages(work: Work, scoring: Scoring, places: Place[]): Promise<CompressionReport["heal"]> {
  const { engine, request, journal, calib, onStage } = work;
  let heal: CompressionReport["heal"] = { runs: [], sft: null, log: [] };
  let path = places[places.length - 1].path;
  if (request.heal.some((name) => name.startsWith("replaceme"))) {
    if (!(await journal.has("replaced"))) {
      const { source, runs } = await replaceMeSource(engine, scoring.removed, request, calib, onStage);
      await journal.once("replaceme", async () => runs);
      await writeStage(work, "replaced", prunedSource(source, scoring.removed), scoring, OWN);
    }
    heal = { ...heal, runs: await journal.once("replaceme", async () => []) };
    path = journal.path("replaced");
  }
  for (const healer of request.heal.filter((name) => name.startsWith("sft"))) {
    const student = await openEngine(engine.platform, path, { threads: 1, dequantize: true });
    try {
      if (!(await journal.has(healer))) {
        const found = await sftValues(
          engine,
          student.source,
          {
            ...{ student: path, teacher: request.input, folder: journal.path(`${healer}-run`), mode: modeOf(healer) },
            data: request.healData ?? (request.calib as string),
            kept: keptLayers(engine.model.config.decoder.layers, scoring.removed),
          },
          request,
          (record, steps) => void onStage(`healing by ${healer}`, record.step + 1, steps).catch(() => {}),
        );
        await journal.once(`${healer}-log`, async () => ({ log: found.log, sft: found.best }));
        await writeStage(work, healer, withValues(student.source, found.values), scoring, OWN);
      }
    } finally {
      await student.close();
    }
    heal = { ...heal, ...(await journal.once(`${healer}-log`, async () => ({ log: [], sft: null }))) };
    path = journal.path(healer);
  }
  places.push({ stage: "healed", path });
  return heal;
}

/** The last stage: codes for whatever the plan says, in the asked format. */
export async function quantizeStage(work: Work, scoring: Scoring, from: Place): Promise<string> {
  const { engine, request, journal, calib, onStage } = work;
  const { plan, format } = request;
  if (await journal.has("result")) return journal.path("result");
  const isOriginal = from.stage === "original";
  const input = isOriginal
    ? engine
    : await openEngine(engine.platform, from.path, { threads: request.threads, dequantize: true });
  try {
    const source = await quantizeSource(input, input.source, request, calib, journal, onStage);
    const form = format === "gguf" ? ggufForm(source) : hfForm(request);
    return await writeStage(work, "result", source, scoring, form);
  } finally {
    if (!isOriginal) await input.close();
  }

  function hfForm({ plan: { decoder } }: CompressRequest): HfPlan["form"] {
    if (format === "mlx") return { kind: "mlx" };
    return decoder ? { kind: "awq", group: decoder.group as Group } : OWN;
  }

  /** Matrices without codes stay as wide as they are where nothing is rounded, and are F16 beside codes, as the plan says. */
  function ggufForm(source: WriteSource): GgufForm {
    const own: WrittenType = isRounded(plan) || ownType(source) === "f16" ? "F16" : "F32";
    const typeOf = ({ name, shape, affine }: SourceTensor): WrittenType =>
      ggufTypeOf(schemeOfMatrix(name, shape, plan), affine?.bits ?? null) ?? own;
    return { kind: "gguf", type: ggufTypeOf(plan.decoder, plan.decoder?.bits ?? null) ?? own, typeOf };
  }
}
