// All that can be looked at before a compression begins: the model, the samples with their pictures, criteria, healing, data, the disk.

import { checkCalibration } from "../../compress/samples.js";
import type { Platform } from "../../core/ports.js";
import { type PictureSet, readCalibration } from "./calibset.js";
import { checkData, checkDisk, checkGrams, checkHealing } from "./checks.js";
import type { Engine } from "./engine.js";
import { type CompressRequest, checkModel } from "./request.js";
import { checkScoring, comparable, protectedOf } from "./scoring.js";

/** Reads a calibration file, each once. */
export type ReadSet = (path: string, longest: number) => Promise<PictureSet>;

export function setReader(platform: Platform, { model }: Pick<Engine, "model">): ReadSet {
  const known = new Map<string, Promise<PictureSet>>();
  return (path, longest) => {
    const key = `${longest} ${path}`;
    const found = known.get(key) ?? readCalibration(platform, path, model, longest);
    known.set(key, found);
    return found;
  };
}

export interface Ready {
  /** With the criteria to compare that can be used, and the form of keys and values. */
  readonly request: CompressRequest;
  readonly calib: PictureSet | null;
  readonly general: PictureSet | null;
  /** Samples of sft, where they are others. */
  readonly heal: PictureSet | null;
  readonly warnings: readonly string[];
}

/** Throws InputError for whatever would fail later. */
export async function checkReady(engine: Engine, asked: CompressRequest, readSet: ReadSet): Promise<Ready> {
  const { model } = engine;
  checkModel(asked, model, protectedOf(asked, model.config.decoder.layers));
  const longest = Math.min(asked.longest, model.config.decoder.maxContext);
  const read = async (path: string | null) => (path === null ? null : readSet(path, longest));
  const [calib, general, heal] = [await read(asked.calib), await read(asked.general), await read(asked.healData)];
  const sees = model.config.architecture === "llava";
  const blind = [calib, heal].flatMap((set) => (set ? (checkCalibration(set, sees) ?? []) : []));
  if (general) checkCalibration(general, sees);
  const { compare, left } = comparable(asked, engine, calib);
  const request = { ...asked, compare, kv: asked.kv ?? model.kv ?? "f32" };
  await checkScoring(request, engine, calib);
  checkHealing(request, model, { calib, heal });
  checkData(request, model, calib);
  const warnings = [...blind, ...left, ...checkGrams(request, model, calib)];
  await checkDisk(request, model);
  return { request, calib, general, heal, warnings };
}
