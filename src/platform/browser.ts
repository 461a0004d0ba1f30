// The platform of a page or of a worker in one: files and WebAssembly builds by address, the page's clock, its workers. The
// server keeps the package's layout below one address: build/NAME.wasm, profiles/, models/.

import { InputError, UnavailableError } from "../core/errors.js";
import type { Platform } from "../core/ports.js";
import { browserTexts } from "./browser-texts.js";
import { browserWorkers } from "./browser-workers.js";
import { httpFiles } from "./sources.js";

/** The part of `navigator` that tells what this is; also in workers. */
type Agent = Pick<Navigator, "userAgent" | "hardwareConcurrency"> & { readonly gpu?: object };

/** Host name of a browser: `firefox`, or `chromium` for all that are built on it and the rest. */
export function browserName(userAgent: string): "chromium" | "firefox" {
  return /\bFirefox\//.test(userAgent) ? "firefox" : "chromium";
}

/** `chromium 156.0.0.0`, `firefox 153.0`, or what the browser says of itself. */
export function browserVersion(userAgent: string): string {
  const version = /\b(?:Firefox|Edg|(?:Headless)?Chrome)\/([\d.]+)/.exec(userAgent)?.[1];
  return version === undefined ? userAgent : `${browserName(userAgent)} ${version}`;
}

async function fetched(url: string): Promise<Response> {
  const answer = await fetch(url).catch((error: unknown) => {
    throw new InputError(url, "", `cannot be reached (${(error as Error).message})`, "Check the address");
  });
  if (answer.ok) return answer;
  throw new InputError(url, "", `the server answered ${answer.status}`, "Check the address");
}

/**
 * The platform of this page. Threads need cross-origin isolation (headers COOP same-origin, COEP require-corp).
 * @param base address below which the package's files are, ending in "/"
 */
export function browserPlatform(base: string, agent: Agent = navigator): Platform {
  return {
    ...httpFiles(),
    name: browserName(agent.userAgent),
    cpuCount: agent.hardwareConcurrency,
    readText: async (url) => (await fetched(url)).text(),
    async writeWhole(path) {
      throw new UnavailableError(path, "a page cannot write files", "Save what it shows");
    },
    wasm: async (name) => new Uint8Array(await (await fetched(`${base}build/${name}.wasm`)).arrayBuffer()),
    packagePath: (relative) => base + relative,
    clock: { nowNs: () => performance.now() * 1e6 },
    ...(globalThis.crossOriginIsolated ? { workers: browserWorkers() } : {}),
    gpu: async () => agent.gpu ?? null,
    texts: browserTexts(),
    peakMemoryBytes: () => null,
  };
}
