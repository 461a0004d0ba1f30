// One fixed result with everything a report must cope with: two models, ranges, absent cases, hostile names.

import type { EpochDelay, EpochSample } from "../../src/core/epoch.js";
import type { HostProfile } from "../../src/core/host.js";
import type { BenchResult, CaseBase, CaseResult, TopologyRow } from "../../src/core/result.js";
import type { Figure, FigureSource } from "../../src/core/units.js";

const figure = (value: number, unit: string, source: FigureSource): Figure => ({ value, unit, source });

export const HOST: HostProfile = {
  name: "fixed",
  idleNs: 100,
  readGBps: 20,
  mixedGBps: 16,
  writeGBps: 12,
  curve: [],
  queueNs: 10,
  llcBytes: 32 * 2 ** 20,
  linesInFlight: { chase: 1, stride: 8, stream: 16 },
  computeRates: { "int4-int8": 1e10, "int4-f32": 4e9, int8: 1e10, f32: 4e9, attention: 2e9, elementwise: 1e9 },
  source: "assumed",
  hash: "0123456789abcdef",
};

function delay(localNs: number, placedNs: number): EpochDelay {
  const delayNs = placedNs - localNs;
  const terms = { latencyNs: delayNs / 4, bandwidthNs: (delayNs * 3) / 4, congestionNs: 0, writeBackNs: 0 };
  return { localNs, placedNs, delayNs, terms };
}

function row(topology: string, measuredNs: number, localNs: number, placedNs: number, farBytes: number): TopologyRow {
  const predicted = measuredNs + placedNs - localNs;
  const half = (ns: number) => ({
    phase: "decode" as const,
    localNs: localNs / 2,
    placedNs: ns / 2,
    missBytes: [0, farBytes / 2],
  });
  return {
    topology,
    placement: farBytes > 0 ? ["weights=cxl0"] : [],
    pools: ["dram", "cxl0"],
    modelledNs: figure(placedNs, "ns", "modelled"),
    modelledRangeNs: { low: placedNs, high: farBytes > 0 ? placedNs * 1.1 : placedNs, unit: "ns", source: "modelled" },
    predictedNs: figure(predicted, "ns", "predicted"),
    spunNs: null,
    slowdown: figure(predicted / measuredNs, "x", "predicted"),
    delay: delay(localNs, placedNs),
    missBytesByPool: { dram: 0, cxl0: farBytes },
    epochs: [half(placedNs), half(placedNs)],
    extrapolatedNs: farBytes > 0 ? figure(predicted * 8, "ns", "derived") : null,
  };
}

const epoch = (index: number, nativeNs: number): EpochSample => ({
  index,
  phase: "decode",
  nativeNs,
  perPool: [{ demandLines: 0, streamedBytes: 64, writtenBytes: 0 }],
  counters: {},
  source: "traffic",
});

function measured(base: CaseBase, medianNs: number, tokens: number, rows: readonly TopologyRow[]): CaseResult {
  return {
    ...base,
    state: "measured",
    samplesNs: [medianNs, medianNs * 1.25, medianNs * 0.75],
    tokens,
    figures: {
      medianNs: figure(medianNs, "ns", "measured"),
      madNs: figure(medianNs / 4, "ns", "measured"),
      weightGBps: figure(2.5, "GB/s", "measured"),
      readShare: figure(0.25, "share", "measured"),
      residentBytes: figure(3 * 2 ** 20, "B", "measured"),
    },
    epochs: [epoch(0, medianNs / 2), epoch(1, medianNs / 2)],
    rows,
  };
}

const SHIPPED: CaseBase = {
  model: "tiny <b>|model</b>",
  synthetic: false,
  target: { host: "node", backend: "wasm", variant: "simd", threads: 1 },
  quant: "int8",
  activations: "int8",
  test: "tg2",
};
const BIG: CaseBase = { ...SHIPPED, model: 'big, "7b"', synthetic: true, quant: "int4-g32" };

export const RESULT: BenchResult = {
  schemaVersion: 1,
  startedAt: "2026-01-02T03:04:05.000Z",
  finishedAt: "2026-01-02T03:05:05.000Z",
  interrupted: false,
  scenario: {
    schemaVersion: 1,
    workloads: [
      { model: { kind: "shipped" }, quants: ["int8"], activations: "int8", tests: ["vision", "tg2"], targets: "all" },
    ],
    topologies: ["local", "cxl-1hop"],
    placement: [],
    llc: "host",
    delay: "traffic",
    host: "probe",
    rounds: 3,
    warmups: 1,
    threads: 0,
    seed: 1,
    quality: true,
    spin: false,
  },
  environment: {
    runtime: "node 20.0.0",
    os: "linux 6.1",
    cpu: "Test CPU </script><script>alert(1)</script>",
    cores: 2,
    memoryBytes: 8 * 2 ** 30,
    cpuFlags: ["avx2"],
    load: [0.5, 0.25, 0.1],
    version: "0.1.0",
    commit: "abc1234",
  },
  host: { ...HOST, name: "here", source: "measured", hash: "fedcba9876543210" },
  frozenHost: HOST,
  bandwidth: [{ streams: 4, threads: 1, gbps: figure(10, "GB/s", "measured") }],
  targets: [
    { target: SHIPPED.target, available: true, detail: "" },
    {
      target: { ...SHIPPED.target, variant: "relaxed" },
      available: false,
      reason: "this Node has no relaxed SIMD",
      remedy: "Use Node 22 or newer",
    },
  ],
  cases: [
    measured({ ...SHIPPED, test: "vision" }, 4e6, 1, [
      row("local", 4e6, 2e6, 2e6, 0),
      row("cxl-1hop", 4e6, 2e6, 2e6, 0),
    ]),
    measured(SHIPPED, 2e6, 2, [row("local", 2e6, 1e6, 1e6, 0), row("cxl-1hop", 2e6, 1e6, 1e6, 0)]),
    measured(BIG, 2e8, 2, [row("local", 2e8, 1.5e8, 1.5e8, 0), row("cxl-1hop", 2e8, 1.5e8, 3.5e8, 1e9)]),
    { ...BIG, test: "vision", state: "unavailable", reason: "the synthetic shape has no vision tower" },
  ],
  quality: [
    {
      model: SHIPPED.model,
      quant: "int8",
      activations: "int8",
      figures: {
        klText: figure(0.0123, "1", "measured"),
        top1: figure(0.95, "share", "measured"),
        perplexity: figure(12.5, "1", "measured"),
      },
      scores: [{ set: "digits", type: "count", right: 9, total: 10 }],
      textTokens: 4096,
    },
  ],
  warnings: [
    {
      code: "fits-cache",
      message: `${SHIPPED.model}: all it touches stays in the last-level cache, so far memory costs nothing`,
      remedy: "See the synthetic shape for what happens otherwise, or set --llc none",
    },
  ],
};
