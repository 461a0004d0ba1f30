// The epoch module on hand-made stages, for the tests of its equation.
import { readFileSync } from "node:fs";
import type { EpochDelay } from "../../src/core/epoch.js";
import type { HostProfile } from "../../src/core/host.js";
import type { Topology } from "../../src/core/topology.js";
import { type EpochExports, setMachine, solveEpoch } from "../../src/delay/solver.js";

export const moduleBytes = readFileSync(new URL("../../epoch.wasm", import.meta.url));
export const epochModule = new WebAssembly.Module(moduleBytes);
export const epoch = new WebAssembly.Instance(epochModule).exports as unknown as EpochExports;

export interface Lines {
  readonly chase?: number;
  readonly stride?: number;
  readonly stream?: number;
  readonly written?: number;
}

/** Compute ns of a stage and the lines it moves in each pool. */
export interface Stage {
  readonly computeNs: number;
  readonly pools: readonly Lines[];
}

/** Solves stages; checks the residual of every equation. */
export function solve(
  topology: Topology,
  host: HostProfile,
  stages: readonly Stage[],
  { threads = 1, measuredNs = 0 } = {},
): EpochDelay {
  setMachine(epoch, topology, host, threads);
  const table = stages.map((stage) => [
    stage.computeNs,
    ...topology.pools.flatMap((_, i) => {
      const { chase = 0, stride = 0, stream = 0, written = 0 } = stage.pools[i] ?? {};
      return [chase, stride, stream, written];
    }),
  ]);
  const { delay, residual } = solveEpoch(epoch, topology, table, measuredNs);
  if (!(residual <= 1e-6)) throw new Error(`residual ${residual}`);
  return delay;
}
