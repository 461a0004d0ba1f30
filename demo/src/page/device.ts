// The capability card: what this browser offers, and what follows where it offers less.

import { browserVersion, type TargetStatus, targetName } from "../../../src/browser.js";
import type { Client } from "./client.js";
import { fillTerms, megabytes } from "./dom.js";

/** What is read of a WebGPU adapter (W3C WebGPU, GPUAdapter). */
interface Adapter {
  readonly info?: { readonly vendor: string; readonly architecture: string; readonly isFallbackAdapter?: boolean };
  readonly features: ReadonlySet<string>;
  readonly limits: { readonly maxStorageBufferBindingSize: number };
}

type Agent = Navigator & {
  readonly gpu?: { requestAdapter(): Promise<Adapter | null> };
  readonly deviceMemory?: number;
};

async function webgpuText(): Promise<string> {
  const { gpu } = navigator as Agent;
  if (!gpu) return "not here: this browser has no WebGPU, the model runs on WebAssembly";
  const adapter = await gpu.requestAdapter().catch(() => null);
  if (!adapter) return "no adapter: this browser or its driver gives none, the model runs on WebAssembly";
  const { vendor = "", architecture = "", isFallbackAdapter = false } = adapter.info ?? {};
  const software = isFallbackAdapter || /swiftshader|llvmpipe|software/i.test(architecture);
  const has = ["shader-f16", "subgroups", "timestamp-query"].filter((name) => adapter.features.has(name));
  const binding = `bindings up to ${megabytes(adapter.limits.maxStorageBufferBindingSize)}`;
  return `${[vendor, architecture].filter(Boolean).join(" ") || "unnamed adapter"}${software ? " (software: correct, not fast)" : ""}; ${has.join(", ") || "no extensions"}; ${binding}`;
}

function wasmText(targets: readonly TargetStatus[]): string {
  const here = targets.filter((status) => status.available && status.target.backend === "wasm");
  const variants = [...new Set(here.map(({ target }) => target.variant))];
  return variants.join(", ") || "none";
}

function threadsText(targets: readonly TargetStatus[]): string {
  const most = Math.max(1, ...targets.filter(({ available }) => available).map(({ target }) => target.threads));
  if (most > 1) return `${most} (shared memory)`;
  return globalThis.crossOriginIsolated
    ? "1: this browser told of one core only"
    : "1: this page is not cross-origin isolated (its host sends no COOP and COEP headers), so memory cannot be shared; everything else works";
}

/** Fills the card; again when the worker has told its targets or the offline state changes. */
export function openDeviceCard(client: Client): { offline(state: string): void } {
  let targets: readonly TargetStatus[] | null = null;
  let webgpu = "looking";
  let offline = "not yet";
  const show = () => {
    const agent = navigator as Agent;
    const missing = (targets ?? []).filter((status) => !status.available);
    fillTerms("device", [
      ["browser", browserVersion(agent.userAgent)],
      ["cores", String(agent.hardwareConcurrency)],
      ["memory", agent.deviceMemory ? `${agent.deviceMemory} GiB or more` : "not told by this browser"],
      ["WebAssembly", targets ? wasmText(targets) : "looking"],
      ["threads", targets ? threadsText(targets) : "looking"],
      ["WebGPU", webgpu],
      ["offline", offline],
      ...missing.map(
        ({ target, ...status }) =>
          [targetName(target), `cannot run: ${"reason" in status ? status.reason : ""}`] as const,
      ),
    ]);
  };
  client.on("targets", (event) => {
    targets = event.targets;
    show();
  });
  webgpuText().then((found) => {
    webgpu = found;
    show();
  });
  show();
  return {
    offline(state) {
      offline = state;
      show();
    },
  };
}
