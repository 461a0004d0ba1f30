// Reads what `nibblemark calibrate` stored, or a host profile in the format of profiles/host-default.json.

import * as v from "valibot";
import { InputError } from "../core/errors.js";
import { COMPUTE_FAMILIES, type HostProfile, sealProfile } from "../core/host.js";
import type { Platform } from "../core/ports.js";
import { parseFile } from "./schema.js";
import { parseHostProfile } from "./topology.js";

const positive = v.pipe(v.number(), v.finite("must be finite"), v.gtValue(0, "must be above 0"));
const notNegative = v.pipe(v.number(), v.finite("must be finite"), v.minValue(0, "must be 0 or more"));
const lines = v.pipe(positive, v.minValue(1, "must be at least 1"));

/** The profile inside a calibration; what else it holds is for readers. */
const CalibrationFile = v.looseObject({
  schemaVersion: v.literal(1),
  kind: v.literal("calibration"),
  profile: v.looseObject({
    name: v.string(),
    idleNs: positive,
    curve: v.array(v.strictObject({ bandwidthGBps: positive, addedNs: notNegative })),
    queueNs: notNegative,
    llcBytes: notNegative,
    linesInFlight: v.strictObject({ chase: lines, stride: lines, stream: lines }),
    readGBps: positive,
    mixedGBps: positive,
    writeGBps: positive,
    computeRates: v.object(Object.fromEntries(COMPUTE_FAMILIES.map((family) => [family, positive]))),
    source: v.literal("measured"),
    hash: v.string(),
  }),
});

function isCalibration(text: string): boolean {
  try {
    return (JSON.parse(text) as { kind?: unknown } | null)?.kind === "calibration";
  } catch {
    return false;
  }
}

/** A host profile from a calibration or a profile file. Throws InputError with the path of the field that is wrong. */
export function parseHost(source: string, text: string): HostProfile {
  if (!isCalibration(text)) return parseHostProfile(source, text);
  const { profile } = parseFile(CalibrationFile, source, text);
  const sealed = sealProfile(profile as unknown as HostProfile);
  if (sealed.hash !== profile.hash) {
    const problem = `is ${profile.hash}, the fields give ${sealed.hash}: the file was changed`;
    throw new InputError(
      source,
      "profile.hash",
      problem,
      "Calibrate again, or write a profile as profiles/host-default.json",
    );
  }
  return sealed;
}

/** Reads a host profile. Throws InputError when there is no such file or it is wrong. */
export async function loadHost(files: Pick<Platform, "readText">, path: string): Promise<HostProfile> {
  return parseHost(path, await files.readText(path));
}
