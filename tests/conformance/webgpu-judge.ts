// Judges the WebGPU adapter of this process and prints the verdict as JSON on the last line: what tests start in Node, Bun
// and Deno with the driver that they want. An argument is a pattern of the parts that are wanted.

import { nodePlatform } from "../../src/platform/node.js";
import { judge, WHOLE } from "./webgpu-parts.js";

console.log(JSON.stringify(await judge(nodePlatform(), new RegExp(process.argv[2] || WHOLE))));
process.exit(0);
