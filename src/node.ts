// The public entry for Node: everything of index.ts, Node's platform, and pictures from files.

export * from "./index.js";
export { decodeImage } from "./platform/images.js";
export { nodePlatform } from "./platform/node.js";
