// wllama expects a browser: a `Worker` made of a Blob, and a page's address. In Node its emscripten code knows worker_threads, so
// this gives it a Worker that runs the Blob's text in one, with the few names of a worker's scope that the text uses.

import { createHash } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Worker as Thread } from "node:worker_threads";
import { dataFolder } from "./folders.js";

const PRELUDE = `
const port = require("node:worker_threads").parentPort;
globalThis.self = globalThis;
globalThis.postMessage = (data, transfer) => port.postMessage(data, transfer);
port.on("message", (data) => globalThis.onmessage({ data }));
`;

interface Message {
  readonly verb?: string;
  readonly args?: readonly unknown[];
}

/** The Worker of wllama's page side. */
class BlobWorker {
  onmessage: (event: { data: unknown }) => void = () => {};
  onerror: (error: unknown) => void = () => {};
  private readonly thread: Promise<Thread>;

  constructor(blob: unknown) {
    this.thread = (blob as Blob).text().then((text) => {
      const thread = new Thread(PRELUDE + text, { eval: true });
      thread.on("message", (data: unknown) => this.onmessage({ data }));
      thread.on("error", (error) => this.onerror(error));
      return thread;
    });
  }

  async postMessage(message: Message, options?: { transfer?: readonly ArrayBuffer[] }): Promise<void> {
    const thread = await this.thread;
    thread.postMessage(await withScript(message), [...(options?.transfer ?? [])]);
  }

  async terminate(): Promise<void> {
    await (await this.thread).terminate();
  }
}

/** Its own threads start from a file here, not from a Blob: one by the text's hash, since whoever runs us may be killed. */
async function withScript(message: Message): Promise<Message> {
  if (message.verb !== "module.init") return message;
  const [script, ...others] = message.args ?? [];
  const text = await (script as Blob).text();
  const path = join(dataFolder(), `wllama-${createHash("sha256").update(text).digest("hex").slice(0, 12)}.cjs`);
  if (!existsSync(path)) writeFileSync(path, text);
  return { ...message, args: [path, ...others] };
}

/** Puts the names that wllama looks for into this process. */
export function actAsPage(): void {
  const url = class extends URL {
    static override createObjectURL = (blob: unknown) => blob as string;
  };
  const names = { Worker: BlobWorker, URL: url, document: { baseURI: "file:///" } };
  for (const [name, value] of Object.entries(names)) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
}
