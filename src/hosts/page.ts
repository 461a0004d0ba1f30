// A coordinator that lives in a page instead of in a worker thread of Node: the page fetches its request from a server of its
// own, posts each event there, and takes messages with the answers.

import type { IncomingMessage } from "node:http";
import type { Browser } from "./browser.js";
import type { CoordinatorHandle } from "./node.js";
import { type Handler, servePages } from "./serve.js";

/** Longer than any single step of a run: a page that says nothing for so long has died. */
const SILENCE_MS = 180_000;
const MOST_EVENT_BYTES = 256 * 1024 * 1024;

const HTML = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Nibblemark</title><link rel="icon" href="data:,">
<p id="state">Measuring; keep this page in front.</p><script type="module" src="page/main.js"></script></html>`;

export interface PageOptions {
  /** Folders of the package, by the name that they have there. */
  readonly folders: Readonly<Record<string, string>>;
  /** Opens the address; null: someone else does. */
  readonly open: ((url: string) => Browser) | null;
  /** false: without cross-origin isolation, as pages of many static hosts are. */
  readonly isolated?: boolean;
  /** Told the address before it is opened. */
  readonly onAddress: (url: string) => void;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MOST_EVENT_BYTES) throw new Error(`the page sent more than ${MOST_EVENT_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

/** A page that asks for its turn gets its answer with the next message. */
const isTurn = (event: unknown) => (event as { kind?: unknown }).kind === "turn";

/** Messages for the page until it asks. */
interface Mailbox {
  put(message: unknown): void;
  take(): unknown[];
  /** Resolves when there is one. */
  filled(): Promise<void>;
}

function openMailbox(): Mailbox {
  const messages: unknown[] = [];
  let wake = () => {};
  return {
    put(message) {
      messages.push(message);
      wake();
    },
    take: () => messages.splice(0),
    filled: () =>
      new Promise((done) => {
        wake = done;
        if (messages.length > 0) done();
      }),
  };
}

/** What the page asks of its server. Messages for the page wait for its next event. */
function pageHandler(request: unknown, onEvent: (event: unknown) => void, mail: Mailbox): Handler {
  return async (path, incoming, response) => {
    if (path === "") response.setHeader("Content-Type", "text/html; charset=utf-8").end(HTML);
    else if (path === "request") response.setHeader("Content-Type", "application/json").end(JSON.stringify(request));
    else if (path === "events" && incoming.method === "POST") {
      const event: unknown = JSON.parse(await bodyOf(incoming));
      onEvent(event);
      if (isTurn(event)) await mail.filled();
      response.setHeader("Content-Type", "application/json").end(JSON.stringify(mail.take()));
    } else return false;
    return true;
  };
}

/** As startCoordinator of node.ts, in a page. `done` rejects when the browser ends, or says nothing for three minutes. */
export function startPageCoordinator<Message, Event, Answer extends Event>(
  { folders, open, onAddress, isolated = true }: PageOptions,
  request: unknown,
  onMessage: (event: Event) => void,
  isAnswer: (event: Event) => event is Answer,
): CoordinatorHandle<Message, Answer> {
  const mail = openMailbox();
  let heard = () => {};
  let cleanUp = async () => {};
  const done = new Promise<Answer>((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    heard = () => {
      clearTimeout(timer);
      timer = setTimeout(() => reject(new Error("the page says nothing any more")), SILENCE_MS);
    };
    const onEvent = (event: unknown) => {
      heard();
      // It may wait for its turn as long as the others take.
      if (isTurn(event)) clearTimeout(timer);
      if (isAnswer(event as Event)) resolve(event as Answer);
      else onMessage(event as Event);
    };
    servePages({ folders, isolated, handler: pageHandler(request, onEvent, mail) }).then((server) => {
      onAddress(server.url);
      const browser = open?.(server.url);
      if (browser) heard();
      browser?.ended.then((words) => reject(new Error(`the browser ended and gave no result: ${words}`)));
      cleanUp = async () => {
        clearTimeout(timer);
        await browser?.close();
        await server.close();
      };
    }, reject);
  });
  return {
    send(message) {
      heard();
      mail.put(message);
    },
    done: done.finally(() => cleanUp()),
    kill: () => cleanUp(),
  };
}
