// The public entry for pages: everything of index.ts, the platform of a page and what it knows of its browser.

export * from "./index.js";
export { browserName, browserPlatform, browserVersion } from "./platform/browser.js";
