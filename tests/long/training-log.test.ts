// Rerunning the first 200 steps of the shipped model's training reproduces the committed log exactly: same data, same
// kernels, same bits. About a minute on one core.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ensureData } from "../../scripts/model/fetch.js";
import { modelFolder } from "../../scripts/model/tokenizer.js";
import { defaultPlan, makeStages, modelConfig, shardCount } from "../../scripts/train-plan.js";
import { makeExchangeBuffers, openExchange, requestStop } from "../../src/train/exchange.js";
import { openTrainModule } from "../../src/train/kernels.js";
import { freshProgress, type StepRecord, trainLoop } from "../../src/train/loop.js";
import { parameterTable } from "../../src/train/parameters.js";
import { openState, startValues } from "../../src/train/state.js";

const steps = 200;

async function firstRecords(): Promise<StepRecord[]> {
  const table = parameterTable(modelConfig);
  const state = openState(await openTrainModule(readFileSync(join("build", "train.wasm"))), table);
  startValues(state, defaultPlan.seed);
  const buffers = makeExchangeBuffers(shardCount, table.floats);
  const records: StepRecord[] = [];
  trainLoop({
    state,
    config: modelConfig,
    stages: makeStages(defaultPlan, ensureData()),
    exchange: openExchange(buffers),
    worker: 0,
    workers: 1,
    start: freshProgress,
    onStep: (record) => {
      records.push(record);
      if (records.length === steps - 1) requestStop(buffers);
    },
    onEnd: () => {},
  });
  return records;
}

const hasData = existsSync(join(".cache", "data"));

test("200 steps give the committed log", async () => {
  if (!hasData && process.env.CI !== "true") {
    console.log("skipped: .cache/data is absent; `npm run train` or CI=true fetches it");
    return;
  }
  const log = readFileSync(join(modelFolder, "train-log.jsonl"), "utf8").split("\n").slice(0, steps);
  const records = await firstRecords();
  assert.is(records.length, steps);
  records.forEach((record, i) => {
    assert.equal(record, JSON.parse(log[i]), `step ${i}`);
  });
});

test.run();
