// `nibblemark demo`: serves the built demo page on loopback, or writes it as a folder for any static host.

import { cp, lstat, realpath, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { InputError, UnavailableError } from "../core/errors.js";
import { servePages } from "../hosts/serve.js";
import { makeFolder } from "../platform/folders.js";
import { attempt, nodePlatform } from "../platform/node.js";
import type { Command } from "./command.js";
import type { Parsed } from "./flags.js";

const DEFAULT_PORT = 8017;
/** What the page fetches besides its own files, below the package. scripts/build-demo.mjs lists the same for offline use. */
const FOLDERS = ["build", "profiles", "models"] as const;
const OFFLINE_LIST = "offline.json";

function portOf(parsed: Parsed): number {
  const text = parsed.text("port") ?? String(DEFAULT_PORT);
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65535) return port;
  throw new InputError("nibblemark demo", "--port", `"${text}" is no port`, "Give 0 (any free one) to 65535");
}

const PLACE = "Name a folder of yours, new or old";

/** The folder to write to, there and real. @throws InputError where there is none or something else */
async function exportFolder(asked: string): Promise<string> {
  const found = await lstat(asked).catch(() => null);
  if (found && !(await stat(asked).catch(() => null))?.isDirectory()) {
    throw new InputError(asked, "--export", "exists and is no folder", PLACE);
  }
  await attempt(asked, () => makeFolder(resolve(asked)));
  return realpath(asked);
}

/** Copies the page and all it fetches; the folder works from any web server. */
async function exportSite(site: string, asked: string): Promise<number> {
  const platform = nodePlatform();
  const files = JSON.parse(await platform.readText(join(site, OFFLINE_LIST))) as string[];
  const folder = await exportFolder(asked);
  const copies = [...files, "sw.js", OFFLINE_LIST].map((file) => {
    const isPackage = FOLDERS.some((name) => name === file.split("/")[0]);
    return { from: isPackage ? platform.packagePath(file) : join(site, file), to: join(folder, file) };
  });
  for (const { from, to } of copies) {
    if ((await realpath(from)) === (await realpath(to).catch(() => to))) {
      throw new InputError(asked, "--export", "is where this package has the page's own files", PLACE);
    }
  }
  for (const { from, to } of copies) {
    await attempt(to, async () => {
      await makeFolder(dirname(to));
      await cp(from, to);
    });
  }
  return files.length;
}

function taken(error: unknown, port: number): never {
  if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") {
    const remedy = "Give another one with --port, or --port 0 for any";
    throw new InputError("nibblemark demo", "--port", `${port} is in use`, remedy);
  }
  throw error;
}

async function run(parsed: Parsed): Promise<number> {
  const platform = nodePlatform();
  const site = platform.packagePath("build/site");
  if (!(await platform.exists(join(site, "index.html")))) {
    throw new UnavailableError("the demo page", "it was not built", "Run npm run build");
  }
  const folder = parsed.text("export");
  if (folder !== undefined) {
    const count = await exportSite(site, folder);
    process.stdout.write(`${count} files in ${folder}: put them on any web server\n`);
    return 0;
  }
  const port = portOf(parsed);
  const folders = Object.fromEntries(FOLDERS.map((name) => [name, platform.packagePath(name)]));
  const isolated = !parsed.on("plain");
  const server = await servePages({ folders, site, port, isolated }).catch((error) => taken(error, port));
  process.stdout.write(`${server.url}\n`);
  if (!parsed.on("quiet")) process.stderr.write("open it in a browser of this machine; Ctrl-C ends it\n");
  await new Promise<void>((done) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => done());
  });
  await server.close();
  return 0;
}

export const demoCommand: Command = {
  name: "demo",
  summary: "Serves the browser demo on this machine only: ask the shipped model, and move its memory away.",
  usage: "[flags]",
  examples: ["demo", "demo --port 0", "demo --plain", "demo --export site"],
  flags: [
    { name: "port", value: "N", help: `port on 127.0.0.1 (default ${DEFAULT_PORT}; 0: any free one)` },
    {
      name: "plain",
      help: "send no isolation headers, as many static hosts: the page then has no threads, and says so",
    },
    { name: "export", value: "FOLDER", help: "write the page with all it needs for a static host, and serve nothing" },
  ],
  positionals: 0,
  run,
};
