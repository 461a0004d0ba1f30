// Where and how a case runs.

/** `node22`, `node24`: another Node than the one that the command runs in. */
export type HostName = "node" | `node${number}` | "bun" | "deno" | "chromium" | "firefox";
export type BackendName = "reference" | "wasm" | "webgpu";

export interface Target {
  readonly host: HostName;
  readonly backend: BackendName;
  /** wasm: scalar | simd | relaxed; reference: plain. */
  readonly variant: string;
  readonly threads: number;
}

/** A target and whether it can run here. Unavailable targets say why and what would help. */
export type TargetStatus =
  | { readonly target: Target; readonly available: true; readonly detail: string }
  | { readonly target: Target; readonly available: false; readonly reason: string; readonly remedy: string };

/** `node/wasm-relaxed/2t` */
export function targetName(target: Target): string {
  return `${target.host}/${target.backend}-${target.variant}/${target.threads}t`;
}
