// `doctor` inside the coordinator: every target, the environment, and the probe's figures.

import { UnavailableError } from "../../core/errors.js";
import type { Platform } from "../../core/ports.js";
import { loadDefaultHost } from "../../placement/topology.js";
import { fastestOf } from "../../run/targets.js";
import { captureEnvironment, toldCacheBytes } from "../parts/environment.js";
import { openGpuMemory } from "../parts/gpu-memory.js";
import { probe } from "../parts/memory.js";
import { openSubjects } from "../parts/subjects.js";
import type { FinalEvent } from "../protocol.js";

export async function doctorWork(platform: Platform): Promise<FinalEvent> {
  const environment = captureEnvironment();
  const subjects = await openSubjects(platform, 0);
  const targets = await subjects.targets("all");
  const target = fastestOf(targets.filter((status) => status.available).map((status) => status.target));
  if (!target) throw new UnavailableError("every target", "none can run here", "Use Node 20.19 or newer");
  const { host, bandwidth } = await probe(platform, target, await loadDefaultHost(platform), toldCacheBytes());
  const available = targets.filter((status) => status.available).map((status) => status.target);
  const gpu = await openGpuMemory(platform, available);
  const report = { schemaVersion: 1, environment, targets, host, bandwidth, gpu: gpu?.measured ?? null } as const;
  return { kind: "doctor", report };
}
