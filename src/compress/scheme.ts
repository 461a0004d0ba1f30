// Names of quantization schemes: METHOD-intBITS-GROUP[-sym], such as awq-int4-g128, rtn-int8-row, gptq-int4-g64-sym; and what each
// part of a model gets.

import { InputError } from "../core/errors.js";

export type Method = "rtn" | "awq" | "gptq" | "hqq";
export const METHODS: readonly Method[] = ["rtn", "awq", "gptq", "hqq"];

export interface Scheme {
  readonly method: Method;
  readonly bits: 4 | 8;
  /** Columns that share a scale; 0: the whole row. */
  readonly group: number;
  /** No zero point: the middle code stands for 0. */
  readonly symmetric: boolean;
}

/** A scheme, or f16. */
export type PartScheme = Scheme | null;

/** What each part of a model becomes. */
export interface QuantizePlan {
  /** Linears of the decoder's blocks. */
  readonly decoder: PartScheme;
  /** Token embedding, and the head where it is not the same matrix. */
  readonly embedding: PartScheme;
  readonly vision: PartScheme;
  readonly projector: PartScheme;
  /** Mixed bits: 4 or 8 for each matrix of the decoder so that the mean is at most this; null: as `decoder` says. */
  readonly meanBits: number | null;
}

const GROUPS = [32, 64, 128] as const;
const PATTERN = /^(?:(rtn|awq|gptq|hqq)-)?int(4|8)(?:-(row|g\d+))?(-sym)?$/;

/** The name of a scheme, such as `awq-int4-g128`. */
export function schemeName(scheme: PartScheme): string {
  if (!scheme) return "f16";
  const { method, bits, group, symmetric } = scheme;
  return `${method}-int${bits}-${group === 0 ? "row" : `g${group}`}${symmetric && bits === 4 ? "-sym" : ""}`;
}

/**
 * A scheme by name; `f16` and `none` give null. Without a method it is rtn, without a group g128 (4 bits) or row (8 bits).
 * @throws InputError for anything else
 */
export function parseScheme(flag: string, text: string): PartScheme {
  if (text === "f16" || text === "none") return null;
  const match = PATTERN.exec(text);
  const remedy = "Name a scheme such as awq-int4-g128, gptq-int4-g64, hqq-int4-g64, rtn-int8-row, or f16";
  if (!match) throw new InputError("nibblemark compress", flag, `"${text}" is no quantization scheme`, remedy);
  const bits = Number(match[2]) as 4 | 8;
  const size = match[3] ?? (bits === 4 ? "g128" : "row");
  const group = size === "row" ? 0 : Number(size.slice(1));
  if (group !== 0 && !GROUPS.some((known) => known === group)) {
    throw new InputError("nibblemark compress", flag, `groups of ${group} are not supported`, "Use g32, g64 or g128");
  }
  const method = (match[1] ?? "rtn") as Method;
  if (method === "hqq" && match[4]) {
    const problem = "hqq finds zero points, it has no symmetric form";
    throw new InputError("nibblemark compress", flag, problem, "Leave -sym out, or use rtn");
  }
  // Eight bits have codes to spare: a zero point would gain nothing.
  return { method, bits, group, symmetric: bits === 8 || match[4] !== undefined };
}

/** Bits a weight costs in a file: codes, and an f16 scale with a 4-bit zero point where there is one, a group. */
export function schemeBits(scheme: PartScheme, cols: number): number {
  if (!scheme) return 16;
  const { bits, group, symmetric } = scheme;
  const size = group === 0 ? cols : group;
  return bits + (16 + (symmetric ? 0 : 4)) / size;
}

/** Whether any part gets codes. */
export const isRounded = ({ decoder, embedding, vision, projector }: QuantizePlan): boolean =>
  [decoder, embedding, vision, projector].some((scheme) => scheme !== null);

/** Whether any part needs activations of the model: then there must be calibration data. */
export function needsData({ decoder, meanBits }: QuantizePlan): boolean {
  return meanBits !== null || decoder?.method === "awq" || decoder?.method === "gptq";
}

/** @throws InputError for a row that is no whole number of groups */
export function checkGroups(name: string, cols: number, scheme: PartScheme): void {
  if (!scheme || scheme.group === 0 || cols % scheme.group === 0) return;
  const other = [...GROUPS].reverse().find((group) => cols % group === 0);
  const remedy = other ? `Use groups of ${other}` : "Keep this part in f16, or use int8-row";
  throw new InputError(name, "group", `rows of ${cols} are no multiple of ${scheme.group}`, remedy);
}

/** AutoAWQ's files hold 4-bit linears of the decoder, all with one group, and floats. Throws InputError for other plans. */
export function checkAwqFits({ hidden, ffn }: { hidden: number; ffn: number }, plan: QuantizePlan): void {
  const { decoder, embedding, vision, projector, meanBits } = plan;
  const remedy = "Write --format mlx, which holds every mixture, or --format gguf, a type for each matrix";
  const fail = (field: string, problem: string) => new InputError("nibblemark compress", field, problem, remedy);
  if (embedding || vision || projector) {
    throw fail("--format hf", "AutoAWQ's files keep embeddings, vision tower and projector in f16");
  }
  if (meanBits !== null) throw fail("--mean-bits", "AutoAWQ's files hold 4 bits only");
  if (!decoder) return;
  if (decoder.bits !== 4) throw fail("--quant", "AutoAWQ's files hold 4 bits only");
  if (decoder.group !== 0 || (hidden === ffn && GROUPS.some((group) => group === hidden))) return;
  throw fail("--quant", "AutoAWQ's files hold groups of 32, 64 and 128");
}

/** GGUF's types share a scale over 32 columns. Throws InputError for codes that they cannot stand for: 4 bits with one scale a row. */
export function checkGgufFits(plan: QuantizePlan): void {
  const parts = { "--quant": plan.decoder, "--quant-embedding": plan.embedding, "--quant-vision": plan.vision };
  for (const [flag, scheme] of Object.entries({ ...parts, "--quant-projector": plan.projector })) {
    if (scheme?.bits !== 4 || scheme.group !== 0) continue;
    const problem = `${schemeName(scheme)}: GGUF's 4-bit blocks have no scale of a whole row`;
    throw new InputError("nibblemark compress", flag, problem, "Use g32, g64 or g128, or write --format mlx");
  }
}

/** What a GGUF file holds a matrix as; null: no codes. */
export function ggufTypeOf(scheme: PartScheme, bits: 4 | 8 | null): "Q4_0" | "Q4_1" | "Q8_0" | null {
  if (!scheme || bits === null) return null;
  if (bits === 8) return "Q8_0";
  return scheme.symmetric ? "Q4_0" : "Q4_1";
}
