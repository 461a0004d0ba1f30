// `eval --base` inside the coordinator: a model's distributions beside a base's, which is another model or a base file of
// llama.cpp; and `--save-base`, which writes such a file.

import { openKldCoder } from "../../backends/wasm/kld.js";
import { InputError } from "../../core/errors.js";
import { type KldBase, type KldCoder, type KldHeader, kldRecordBytes, scoredRows } from "../../core/kld.js";
import type { Platform } from "../../core/ports.js";
import type { ModelRef, QuantName } from "../../core/scenario.js";
import { targetName } from "../../core/target.js";
import { isKldBase, kldHeaderBytes, openKldBase } from "../../formats/kld-base.js";
import { chunkLogits, compareWithBase, kldChunks } from "../../run/kld.js";
import type { Control, Subject } from "../../run/parts.js";
import { chooseTargets } from "../../run/targets.js";
import { summarizeKld } from "../../stats/kld.js";
import { type OpenModels, openSubjects, SHIPPED_MODEL } from "../parts/subjects.js";
import type { FinalEvent, KldRequest } from "../protocol.js";

/** llama.cpp's default length of a chunk. */
const CONTEXT = 512;
const LOGIT_ROWS = 64;

export async function kldWork(platform: Platform, request: KldRequest, control: Control): Promise<FinalEvent> {
  const subjects = await openSubjects(platform, request.threads);
  const coder = await openKldCoder(platform);
  try {
    const source =
      request.base === null || request.base.kind === "model" ? null : await platform.open(request.base.path);
    try {
      if (source && !(await isKldBase(source))) {
        throw new InputError(source.name, "", "is no base file", "Name a model or a file that begins with _logits_");
      }
      const fromFile = source && (await openKldBase(source));
      const header = fromFile?.header ?? (await textHeader(platform, subjects, request));
      const base = fromFile ?? (await modelBase(platform, subjects, request, header, coder, control));
      return await compare(subjects, request, base, coder, control);
    } finally {
      await source?.close();
    }
  } finally {
    await subjects.close();
  }
}

async function compare(
  subjects: OpenModels,
  request: KldRequest,
  base: KldBase,
  coder: KldCoder,
  control: Control,
): Promise<FinalEvent> {
  const subject = await openOne(subjects, request, request.model, request.quant, base.header.contextTokens);
  try {
    if (subject.vocab !== base.header.vocab) {
      const problem = `the model has a vocabulary of ${subject.vocab}, the base of ${base.header.vocab}`;
      throw new InputError("nibblemark eval", "--base", problem, "Compare models with one tokenizer");
    }
    const rows = await compareWithBase(base, subject.session(), coder, control);
    if (rows.length === 0)
      throw new InputError("nibblemark eval", "", "was stopped before the first chunk", "Run it again");
    const { model, quant, target } = subject;
    const { contextTokens, chunks } = base.header;
    const about = { model, quant, target: targetName(target), contextTokens, chunks, base: request.baseName };
    return { kind: "compared", report: { schemaVersion: 1, ...about, ...summarizeKld(rows) } };
  } finally {
    await subject.close();
  }
}

async function openOne(
  subjects: OpenModels,
  { threads, activations }: KldRequest,
  model: ModelRef,
  quant: QuantName,
  contextTokens: number,
): Promise<Subject> {
  const target = chooseTargets("fastest", await subjects.targets("fastest"), threads)[0];
  if (!target) throw new InputError("nibblemark eval", "--target", "no target can run", "See nibblemark doctor");
  const room = { positions: contextTokens, logitRows: LOGIT_ROWS };
  return subjects.open({ model, target, quant, activations, seed: 1, room });
}

/** The text's tokens by the base's own tokenizer, or the model's. */
async function textHeader(platform: Platform, subjects: OpenModels, request: KldRequest): Promise<KldHeader> {
  const model = await subjects.model(request.model);
  const first = request.base?.kind === "model" ? await subjects.model(request.base.model) : model;
  const tokenizer = first.tokenizer ?? model.tokenizer;
  if (!tokenizer) throw new InputError(model.origin, "", "has no tokenizer", "Use a base file, which holds tokens");
  const path = request.text ?? platform.packagePath(`${SHIPPED_MODEL}/eval/text.txt`);
  const tokens = tokenizer.encode(await platform.readText(path));
  const most = Math.min(first.config.decoder.maxContext, model.config.decoder.maxContext);
  const context = request.contextTokens ?? Math.min(CONTEXT, most);
  return kldChunks([tokenizer.bosId, ...tokens], context, request.chunks, first.config.decoder.vocab, tokenizer.bosId);
}

/** Runs the base over the text first, so that only one model is in memory at a time. */
async function modelBase(
  platform: Platform,
  subjects: OpenModels,
  request: KldRequest,
  header: KldHeader,
  coder: KldCoder,
  control: Control,
): Promise<KldBase> {
  const ref = request.base?.kind === "model" ? request.base.model : request.model;
  const subject = await openOne(subjects, request, ref, request.baseQuant, header.contextTokens);
  const records: Uint8Array[] = [];
  try {
    const session = subject.session();
    for (let chunk = 0; chunk < header.chunks && !(await control.stopped()); chunk++) {
      control.progress({ stage: "running the base", done: chunk, total: header.chunks });
      records.push(coder.encode(await chunkLogits(session, header, chunk), header.vocab));
    }
  } finally {
    await subject.close();
  }
  if (request.saveBase !== null) await platform.writeWhole(request.saveBase, joined(header, records));
  const none = new Uint8Array(scoredRows(header.contextTokens) * kldRecordBytes(header.vocab));
  return { header: { ...header, chunks: records.length }, records: async (chunk) => records[chunk] ?? none };
}

function joined(header: KldHeader, records: readonly Uint8Array[]): Uint8Array {
  const tokens = header.tokens.subarray(0, records.length * header.contextTokens);
  const parts = [kldHeaderBytes({ ...header, tokens, chunks: records.length }), ...records];
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
