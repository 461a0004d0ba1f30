// Judges the WebGPU of a browser: bundles the page (the model's readers use npm packages, which no browser finds by name),
// serves it and waits for the verdict.

import { existsSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { build } from "vite";
import { findFirefox, startFirefox } from "../../src/hosts/firefox.js";
import { packageFolders, withChromium, withServer } from "../support/browser.js";
import { root } from "../support/root.js";
import { WEBGPU_TEST_FLAGS } from "../support/webgpu.js";
import type { Verdict } from "./webgpu-parts.js";

const HTML = `<!doctype html><meta charset="utf-8"><title>Conformance</title><link rel="icon" href="data:,">
<script type="module" src="conformance/in-page.js"></script>`;
const LIMIT_MS = 540_000;

/** Folder of the bundled page, made anew. */
async function bundle(): Promise<string> {
  const outDir = join(root, "build", "tests", "conformance", `page-${process.pid}`);
  await build({
    ...{ root, configFile: false, publicDir: false, base: "./", logLevel: "warn" },
    build: {
      ...{ outDir, emptyOutDir: true, target: "es2022", modulePreload: false, reportCompressedSize: false },
      rolldownOptions: {
        input: { "in-page": join(root, "build", "tests", "conformance", "in-page.js") },
        output: { entryFileNames: "[name].js" },
      },
    },
  });
  if (!existsSync(join(outDir, "in-page.js"))) throw new Error("vite made no in-page.js");
  return outDir;
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += chunk;
  return text;
}

/**
 * The verdict of the page that `withPage` opens and closes; rejects when none comes in nine minutes.
 * @param parts pattern of the parts that are wanted
 */
async function judgedInBrowser(
  parts: string,
  withPage: (url: string, verdict: Promise<Verdict>) => Promise<Verdict>,
): Promise<Verdict> {
  const folders = { ...packageFolders, conformance: await bundle() };
  let tell: (verdict: Verdict) => void = () => {};
  const verdict = new Promise<Verdict>((resolve, reject) => {
    tell = resolve;
    setTimeout(() => reject(new Error(`the page gave no verdict in ${LIMIT_MS / 1000} s`)), LIMIT_MS).unref();
  });
  return withServer(({ url }) => withPage(`${url}#${encodeURIComponent(parts)}`, verdict), {
    folders,
    async handler(path, request, response) {
      if (path === "") response.setHeader("Content-Type", "text/html; charset=utf-8").end(HTML);
      else if (path === "verdict" && request.method === "POST") {
        tell(JSON.parse(await textOf(request)) as Verdict);
        response.end();
      } else return false;
      return true;
    },
  });
}

/** The verdict of Debian's Chromium. @param withFaults told what its console reported as errors */
export const judgedInChromium = (parts: string, withFaults: (faults: readonly string[]) => void): Promise<Verdict> =>
  judgedInBrowser(parts, (url, told) =>
    withChromium(async (open) => {
      const { faults } = await open(url);
      const result = await told;
      withFaults(faults);
      return result;
    }, WEBGPU_TEST_FLAGS),
  );

/** The verdict of Firefox, which is started with this process's environment. */
export const judgedInFirefox = (parts: string): Promise<Verdict> =>
  judgedInBrowser(parts, async (url, told) => {
    const browser = startFirefox(findFirefox(), url);
    const ended = browser.ended.then((words): never => {
      throw new Error(`Firefox ended: ${words}`);
    });
    try {
      return await Promise.race([told, ended]);
    } finally {
      ended.catch(() => {});
      await browser.close();
    }
  });
