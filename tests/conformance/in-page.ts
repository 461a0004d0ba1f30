// The judge on the WebGPU of a page: the first script of the page that the tests of browsers open. Sends the verdict to the
// page's server. The address names the parts that are wanted.

import { browserPlatform } from "../../src/platform/browser.js";
import { judge } from "./webgpu-parts.js";

const { href, hash } = document.location;
const wanted = new RegExp(decodeURIComponent(hash.slice(1)));
const verdict = await judge(browserPlatform(new URL("./", href).href), wanted);
await fetch("verdict", { method: "POST", body: JSON.stringify(verdict) });
