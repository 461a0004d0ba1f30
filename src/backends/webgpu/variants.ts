// Which WebGPU targets run here: one for the adapter, and one in f16 where its shaders have that. The variant names the kind
// of adapter, so that no figure can be taken for another's.

import { UnavailableError } from "../../core/errors.js";
import type { Platform } from "../../core/ports.js";
import type { HostName, TargetStatus } from "../../core/target.js";
import { type AdapterFacts, adapterFacts } from "./adapter.js";

export function hostOf({ name }: Platform): HostName {
  return name === "bun" || name === "deno" || name === "chromium" || name === "firefox" ? name : "node";
}

function detailOf({ kind, name, subgroups, dot4, timestamps }: AdapterFacts): string {
  const has = Object.entries({ subgroups, "int8 dot products": dot4, timestamps }).flatMap(([what, there]) =>
    there ? [what] : [],
  );
  const features = has.length > 0 ? `; ${has.join(", ")}` : "";
  if (kind !== "software") return `${kind === "gpu" ? "GPU" : `${kind} GPU`}: ${name}${features}`;
  return `software adapter, right but no GPU, so run only when named: ${name}${features}`;
}

/** The targets of this host's adapter, or one that says why there is none. */
export async function webgpuTargets(platform: Platform): Promise<TargetStatus[]> {
  const target = { host: hostOf(platform), backend: "webgpu", threads: 1 } as const;
  try {
    const facts = await adapterFacts(platform);
    const plain = { target: { ...target, variant: facts.kind }, available: true, detail: detailOf(facts) } as const;
    if (!facts.shaderF16) return [plain];
    const variant = `${facts.kind}-f16`;
    return [plain, { target: { ...target, variant }, available: true, detail: `products in f16; ${detailOf(facts)}` }];
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    const { reason, remedy } = error;
    return [{ target: { ...target, variant: "gpu" }, available: false, reason, remedy }];
  }
}
