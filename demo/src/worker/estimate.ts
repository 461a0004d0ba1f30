// Everything that the memory panel shows, worked out for the settings of the moment.

import { type HostProfile, InputError } from "../../../src/browser.js";
import type { EpochFacts, Estimate, Speeds } from "../protocol.js";
import { type Settings, settingsText } from "../settings.js";
import type { Asked } from "./engine.js";
import { cacheBytes, type EpochCost, type Memory, type Run } from "./memory.js";

export interface EstimateParts {
  readonly memory: Memory;
  readonly settings: Settings;
  /** This machine's profile, or the shipped one before a calibration. */
  readonly host: HostProfile;
  readonly token: Run;
  readonly shape: Run;
  readonly asked: Asked | null;
}

const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

function speeds(tokens: number, localNs: number, placedNs: number): Speeds {
  return { localTokensPerSecond: (tokens * 1e9) / localNs, placedTokensPerSecond: (tokens * 1e9) / placedNs };
}

function modelled(run: Run, { memory, settings }: EstimateParts): { speeds: Speeds; costs: EpochCost[] } {
  const costs = memory.costs(run, settings, memory.frozen, null);
  const [local, placed] = [total(costs.map(({ localNs }) => localNs)), memory.modelledNs(run, settings)];
  return { speeds: speeds(run.epochs.length, local, placed), costs };
}

function shapeSpeeds(parts: EstimateParts): Estimate["shape"] {
  try {
    return modelled(parts.shape, parts).speeds;
  } catch (error) {
    if (error instanceof InputError) return { problem: error.message };
    throw error;
  }
}

function epochsOf({ run, epochs }: Asked, { memory, settings, host }: EstimateParts): EpochFacts[] {
  const measured = epochs.map(({ measuredNs }) => measuredNs);
  return memory.costs(run, settings, host, measured).map(({ delayNs, missBytes }, i) => {
    const { measuredNs, spunNs } = epochs[i] as (typeof epochs)[number];
    const phase = run.epochs[i]?.phase ?? "decode";
    const predictedMs = (measuredNs + delayNs) / 1e6;
    return { phase, measuredMs: measuredNs / 1e6, spunMs: spunNs / 1e6, predictedMs, missBytes };
  });
}

function predicted(epochs: readonly EpochFacts[]): Speeds | null {
  const decoded = epochs.filter(({ phase }) => phase === "decode");
  if (decoded.length === 0) return null;
  const sum = (pick: (epoch: EpochFacts) => number) => total(decoded.map(pick)) * 1e6;
  return speeds(
    decoded.length,
    sum(({ measuredMs }) => measuredMs),
    sum(({ predictedMs }) => predictedMs),
  );
}

/** Throws InputError when the open model cannot be placed as asked. */
export function estimate(parts: EstimateParts): Estimate {
  const { memory, settings, host, token, asked } = parts;
  const placed = memory.place(token.specs, settings);
  const far = placed.topology.pools.find((pool) => pool.kind === "far");
  const { speeds: own, costs } = modelled(token, parts);
  const epochs = asked ? epochsOf(asked, parts) : [];
  return {
    scenario: settingsText(settings),
    pools: placed.topology.pools.map(({ name }) => name),
    rules: placed.rules,
    topology: placed.topology.name,
    latencyNs: far?.kind === "far" ? far.readAdderNs : null,
    bandwidthGBps: far?.kind === "far" ? far.readGBps : null,
    cacheBytes: cacheBytes(settings, memory.frozen),
    modelled: own,
    missBytesPerToken: total(costs.flatMap(({ missBytes }) => missBytes)) / costs.length,
    predicted: predicted(epochs),
    epochs,
    shape: shapeSpeeds(parts),
    host: `${host.name} (${host.source})`,
  };
}
