// WebGPU outside browsers: what the runtime has itself (Deno), else Dawn from the npm package "webgpu", which users install
// where they want it (132 MB) and clones fetch into .cache/peers.

import { join } from "node:path";
import { pathToFileURL } from "node:url";

interface Dawn {
  create(flags: readonly string[]): object;
}

/** Flags for Dawn, as `backend=vulkan` or `enable-dawn-features=...`; docs/webgpu.md tells what they are for. */
const flagsOf = (env: NodeJS.ProcessEnv): readonly string[] => (env.NIBBLEMARK_DAWN ?? "").split(" ").filter(Boolean);

/** One instance a process: an adapter of another instance is a stranger to it. */
let found: Promise<object | null> | null = null;

async function importDawn(packageRoot: string): Promise<object | null> {
  const clone = join(packageRoot, ".cache", "peers", "webgpu", "node_modules", "webgpu", "index.js");
  for (const name of ["webgpu", pathToFileURL(clone).href]) {
    try {
      return ((await import(name)) as Dawn).create(flagsOf(process.env));
    } catch {
      // Not installed here, or built for another system: the next place, or none.
    }
  }
  return null;
}

export function nodeGpu(packageRoot: string): Promise<object | null> {
  const own = (globalThis.navigator as { readonly gpu?: object } | undefined)?.gpu;
  found ??= own ? Promise.resolve(own) : importDawn(packageRoot);
  return found;
}
