// A real browser for tests: Debian's Chromium without a window, driven through playwright-core, and the package's own server
// with or without cross-origin isolation.

import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { CHROMIUM_FLAGS } from "../../src/hosts/chromium.js";
import { type PageServer, type ServeOptions, servePages } from "../../src/hosts/serve.js";
import { ensureDebian } from "./debian.js";
import { root } from "./root.js";

const PROGRAM = "/usr/bin/chromium";

/** Folders of the package as pages expect them. */
export const packageFolders = {
  page: join(root, "build", "page"),
  build: join(root, "build"),
  profiles: join(root, "profiles"),
  models: join(root, "models"),
} as const;

/** True where Debian's Chromium is, or could be installed; see ensureDebian. */
export const haveChromium = (): boolean => ensureDebian(["chromium"]);

export interface OpenPage {
  readonly page: Page;
  /** Console errors and uncaught exceptions so far. */
  readonly faults: readonly string[];
}

/** Starts Chromium with a fresh profile, runs the body, and ends it. @param flags further flags, such as --enable-unsafe-webgpu */
export async function withChromium<T>(
  body: (open: (url: string) => Promise<OpenPage>) => Promise<T>,
  flags: readonly string[] = [],
): Promise<T> {
  // playwright adds its own --headless.
  const args = [...CHROMIUM_FLAGS.filter((flag) => flag !== "--headless"), ...flags];
  const browser: Browser = await chromium.launch({ executablePath: PROGRAM, headless: true, args });
  try {
    return await body(async (url) => {
      const page = await browser.newPage();
      const faults: string[] = [];
      page.on("console", (message) => void (message.type() === "error" && faults.push(message.text())));
      page.on("pageerror", (error) => void faults.push(error.message));
      await page.goto(url);
      return { page, faults };
    });
  } finally {
    await browser.close();
  }
}

/** Serves folders (the package's unless told) until the body ends. */
export async function withServer<T>(
  body: (server: PageServer) => Promise<T>,
  options: ServeOptions = { folders: packageFolders },
): Promise<T> {
  const server = await servePages(options);
  try {
    return await body(server);
  } finally {
    await server.close();
  }
}
