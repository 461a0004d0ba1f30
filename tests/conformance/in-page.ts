// The suite on the WebGPU of a page: the first script of the page that tests/conformance/webgpu-in-chromium.test.ts opens.

import { openReference } from "../../src/backends/reference.js";
import { openWebgpu } from "../../src/backends/webgpu.js";
import { browserPlatform } from "../../src/platform/browser.js";
import { type Difference, differences } from "./compare.js";
import { SUITE } from "./suite.js";

export interface PageVerdict {
  readonly adapter: string;
  readonly cases: number;
  readonly wrong: readonly Difference[];
  readonly error: string | null;
}

async function judge(): Promise<PageVerdict> {
  const platform = browserPlatform(new URL("./", document.location.href).href);
  try {
    const backend = await openWebgpu(platform);
    const { kind, name } = backend.adapter;
    const wrong = await differences(backend, await openReference(platform), SUITE);
    return { adapter: `${kind} (${name})`, cases: SUITE.length, wrong, error: null };
  } catch (error) {
    return { adapter: "", cases: 0, wrong: [], error: (error as Error).stack ?? `${error}` };
  }
}

// As text: who watches this page from outside may run no script in it.
const element = document.createElement("pre");
element.id = "verdict";
element.textContent = JSON.stringify(await judge());
document.body.append(element);
