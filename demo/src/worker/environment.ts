// What a page can know of its machine: little, and nothing that tells who uses it.

import { browserVersion, type Environment, GIB } from "../../../src/browser.js";

/** Browsers round it: 0.25 to 8 GiB; some do not tell. */
type Agent = Navigator & { readonly deviceMemory?: number };

export function pageEnvironment(version: string): Environment {
  const agent = navigator as Agent;
  const isolation = globalThis.crossOriginIsolated ? "isolated" : "not isolated";
  const system = /\(([^);]+)/.exec(agent.userAgent)?.[1] ?? "unknown system";
  return {
    runtime: `${browserVersion(agent.userAgent)}, ${isolation}`,
    os: system,
    cpu: "CPU not told by the browser",
    cores: agent.hardwareConcurrency,
    memoryBytes: agent.deviceMemory ? agent.deviceMemory * GIB : null,
    ...{ cpuFlags: [], load: [], version, commit: null },
  };
}
