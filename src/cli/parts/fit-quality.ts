// What is known of a plan's quality: reports of `nibblemark compress -o json`. A config alone says nothing of it.

import type { FitScheme, PartForm } from "../../compress/budget.js";
import type { CompressionReport } from "../../core/compression.js";
import { type ModelConfig, shapeName } from "../../core/config.js";
import { InputError } from "../../core/errors.js";
import type { KnownQuality } from "../../core/fit.js";
import type { Platform } from "../../core/ports.js";

export interface Measured extends KnownQuality {
  readonly layers: number;
  /** Sizes of the model before it was compressed. */
  readonly shape: string;
  /** Form of the decoder as plans name it; null: one that no plan has. */
  readonly decoder: PartForm | null;
}

/** Reads reports. Throws InputError for a file that is none. */
export async function readMeasured(platform: Platform, paths: readonly string[]): Promise<Measured[]> {
  return Promise.all(
    paths.map(async (path) => {
      let report: Partial<CompressionReport>;
      try {
        report = JSON.parse(await platform.readText(path)) as Partial<CompressionReport>;
      } catch (error) {
        if (error instanceof InputError) throw error;
        throw notOne(path);
      }
      const last = report.stages?.at(-1);
      const { shape, decoder } = report;
      if (!last || typeof shape !== "string" || typeof decoder !== "object") throw notOne(path);
      const { klText, klAnswer, top1 } = last.figures;
      const values = [klText, klAnswer].flatMap((figure) => (figure ? [figure.value] : []));
      const kld = values.length > 0 ? Math.max(...values) : null;
      return { layers: last.layers, shape, decoder: formOf(decoder), kld, top1: top1?.value ?? null, source: path };
    }),
  );
}

const notOne = (path: string): InputError =>
  new InputError(path, "", "is no compression report", "Give what nibblemark compress -o json printed");

function formOf({ bits, group, meanBits }: CompressionReport["decoder"]): PartForm | null {
  if (bits === null) return "f16";
  if (meanBits !== null) return null;
  if (bits === 8) return group === 0 ? "int8" : null;
  return group === 128 ? "int4-g128" : null;
}

/** A measurement of a model of the same sizes, with as many blocks left and the same form of its decoder; null: unknown. */
export function qualityOf(
  measured: readonly Measured[],
  config: ModelConfig,
  layers: number,
  scheme: FitScheme,
): KnownQuality | null {
  const shape = shapeName(config);
  const found = measured.find((one) => one.shape === shape && one.layers === layers && one.decoder === scheme.decoder);
  return found ? { kld: found.kld, top1: found.top1, source: found.source } : null;
}

export interface Floor {
  readonly kld: number | null;
  readonly top1: number | null;
}

/** `kld=0.1`, `top1=0.9`, or both. Throws InputError for anything else. */
export function parseFloor(text: string | undefined): Floor {
  const floor: { kld: number | null; top1: number | null } = { kld: null, top1: null };
  for (const part of (text ?? "").split(",").filter((one) => one !== "")) {
    const match = /^(kld|top1)=(\d*\.?\d+)$/.exec(part.trim());
    if (!match) {
      const remedy = "Write for example kld=0.1, or top1=0.9";
      throw new InputError("nibblemark fit", "--min-quality", `"${part}" is no floor of quality`, remedy);
    }
    if (match[1] === "top1" && Number(match[2]) > 1) {
      const problem = `top1=${match[2]} is above 1`;
      throw new InputError("nibblemark fit", "--min-quality", problem, "It is a share from 0 to 1, such as top1=0.9");
    }
    floor[match[1] as "kld" | "top1"] = Number(match[2]);
  }
  return floor;
}

export function isBelow(quality: KnownQuality | null, { kld, top1 }: Floor): boolean {
  if (!quality) return false;
  const tooFar = kld !== null && quality.kld !== null && quality.kld > kld;
  return tooFar || (top1 !== null && quality.top1 !== null && quality.top1 < top1);
}
