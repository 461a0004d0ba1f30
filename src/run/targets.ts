// Which targets a workload runs on.

import { InputError, UnavailableError } from "../core/errors.js";
import type { Workload } from "../core/scenario.js";
import { type Target, type TargetStatus, targetName } from "../core/target.js";

/** Variants from slow to fast. */
const SPEED = ["plain", "scalar", "simd", "relaxed"];

/** `node/wasm-simd/2t`, or its end: `wasm-simd/2t`, `wasm-simd`, `simd/2t`, `simd`; or all of a backend, `webgpu`. */
function isCalled(target: Target, name: string): boolean {
  const full = targetName(target);
  const short = full.slice(0, full.lastIndexOf("/"));
  return (
    target.backend === name ||
    [full, short].some((text) => text === name || text.endsWith(`/${name}`) || text.endsWith(`-${name}`))
  );
}

/** The one expected to be fastest: the best instructions, then the most threads. */
export function fastestOf(targets: readonly Target[]): Target | null {
  const rank = (target: Target) => SPEED.indexOf(target.variant) * 1000 + target.threads;
  return targets.reduce<Target | null>((best, target) => (best && rank(best) >= rank(target) ? best : target), null);
}

/** What the workloads of a scenario name together. */
export function wantedOf(workloads: readonly Pick<Workload, "targets">[]): Workload["targets"] {
  const lists = workloads.map(({ targets }) => targets);
  if (lists.includes("all")) return "all";
  const names = lists.flatMap((targets) => (typeof targets === "string" ? [] : targets));
  return names.length === 0 ? "fastest" : names;
}

/** Whether these are enough, known without looking for a GPU: the fastest is one of them. */
export function sufficeFor(wanted: Workload["targets"], known: readonly TargetStatus[]): boolean {
  if (typeof wanted === "string") return wanted === "fastest";
  return wanted.every((name) => known.some(({ target }) => isCalled(target, name)));
}

/**
 * Targets of a workload that can run, at most `threads` threads (0: any).
 * Throws InputError for names that no target has, UnavailableError when nothing is left.
 */
export function chooseTargets(
  wanted: Workload["targets"],
  statuses: readonly TargetStatus[],
  threads: number,
): readonly Target[] {
  const fitting = statuses.filter(({ target }) => threads === 0 || target.threads <= threads);
  const available = fitting.filter((status) => status.available).map(({ target }) => target);
  // Software adapters are right and slow: what they would be timed at says nothing of any GPU.
  const worthwhile = available.filter(
    ({ backend, variant }) => backend !== "webgpu" || !variant.startsWith("software"),
  );
  const chosen = wanted === "all" || wanted === "fastest" ? worthwhile : named(wanted, statuses, available);
  if (chosen.length === 0) {
    const [status] = notRun(wanted, statuses);
    if (status) throw new UnavailableError(targetName(status.target), status.reason, status.remedy);
    const reasons = fitting.flatMap((status) =>
      status.available ? [] : [`${targetName(status.target)}: ${status.reason}`],
    );
    throw new UnavailableError("every target", reasons.join("; ") || "none is known", "Run nibblemark doctor");
  }
  const best = fastestOf(chosen);
  return wanted === "fastest" && best ? [best] : chosen;
}

function named(names: readonly string[], statuses: readonly TargetStatus[], available: readonly Target[]): Target[] {
  return names.flatMap((name) => {
    const known = statuses.filter(({ target }) => isCalled(target, name));
    const running = available.filter((target) => isCalled(target, name));
    if (known.length === 0) {
      const all = statuses.map(({ target }) => targetName(target)).join(", ");
      throw new InputError("scenario", "targets", `"${name}" is no target`, `Known here: ${all}`);
    }
    return running;
  });
}

/** Targets that are named and cannot run here. */
export function notRun(
  names: Workload["targets"],
  statuses: readonly TargetStatus[],
): readonly Extract<TargetStatus, { available: false }>[] {
  if (typeof names === "string") return [];
  return statuses.filter((status) => !status.available && names.some((name) => isCalled(status.target, name))) as never;
}
