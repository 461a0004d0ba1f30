// A machine that answers a calibration at once: 80 ns DRAM, caches of 32 KiB, 1 MiB and 16 MiB, 10 lines in flight a core,
// 40 GB/s of memory.

import type { CalibrationMemory } from "../../src/core/ports.js";
import { KIB, MIB } from "../../src/core/units.js";
import type { CalibrateParts } from "../../src/run/calibrate.js";
import { host } from "../epoch/fixture.js";

export const DRAM_NS = 80;
const PEAK_STEPS = 40e9 / 4096;

function nsOf(bytes: number): number {
  if (bytes <= 32 * KIB) return 2;
  if (bytes <= MIB) return 6;
  return bytes <= 16 * MIB ? 25 : DRAM_NS;
}

/** `threads` threads that make traffic; each reads 8 GB/s, and latency rises by 1 ns a GB/s. */
export function fakeMemory(threads: number): CalibrationMemory {
  const coreSteps = 8e9 / 4096;
  return {
    threads,
    clockStepNs: 50,
    chaseNs: async (bytes) => nsOf(bytes),
    chainsNs: async (chains) => DRAM_NS * Math.max(1, chains / 10),
    pagesNs: async (pages) => nsOf(pages * 64) + (pages > 1024 ? 20 : 0),
    coreStepsPerSecond: async (_, bytes) => (bytes <= MIB ? 5 : 1) * coreSteps,
    async underPressure(count, body) {
      let pause = 0;
      const steps = () => Math.min(PEAK_STEPS, (count * coreSteps) / (1 + pause / 100));
      return body({
        set: (_, value) => {
          pause = value;
        },
        stepsPerSecond: async () => steps(),
        chasePieces: async () => [{ ns: DRAM_NS + (steps() * 4096) / 1e9, stepsPerSecond: steps() }],
      });
    },
  };
}

export function fakeParts(threads: number): CalibrateParts {
  return {
    memory: fakeMemory(threads),
    host: "node",
    computeRate: async () => 5e9,
    fallback: host(),
    environment: {
      ...{ runtime: "test", os: "test", cpu: "test", cores: threads, memoryBytes: 0, cpuFlags: [] },
      ...{ load: [0], version: "0", commit: null },
    },
    clock: { nowNs: () => 0 },
    startedAt: "2026-01-01T00:00:00.000Z",
    progress: () => {},
  };
}
