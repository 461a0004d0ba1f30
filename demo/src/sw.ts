// The service worker: keeps the page, its WebAssembly, profiles and model, so that it works without a network. The build puts
// the list of files in; another list is another version. It takes no page over that is open: scripts of one version must not
// get WebAssembly of another, and Firefox waits a minute for threads that sleep in Atomics.wait.

declare const __OFFLINE__: { readonly version: string; readonly files: readonly string[] };

/** What is used of the service worker's scope (W3C Service Workers). */
interface Scope {
  readonly registration: { readonly scope: string };
  addEventListener(
    kind: "install" | "activate",
    listener: (event: { waitUntil(work: Promise<unknown>): void }) => void,
  ): void;
  addEventListener(
    kind: "fetch",
    listener: (event: { readonly request: Request; respondWith(answer: Promise<Response>): void }) => void,
  ): void;
}

const scope = globalThis as unknown as Scope;
const CACHE = `nibblemark-${__OFFLINE__.version}`;
const FILES = new Set(__OFFLINE__.files.map((file) => new URL(file, scope.registration.scope).href));
const INDEX = new URL("index.html", scope.registration.scope).href;

async function install(): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.addAll([...FILES]);
}

async function activate(): Promise<void> {
  const old = (await caches.keys()).filter((name) => name.startsWith("nibblemark-") && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
}

async function answer(request: Request, url: string): Promise<Response> {
  const kept = await (await caches.open(CACHE)).match(url);
  return kept ?? fetch(request);
}

scope.addEventListener("install", (event) => event.waitUntil(install()));
scope.addEventListener("activate", (event) => event.waitUntil(activate()));
scope.addEventListener("fetch", (event) => {
  const { request } = event;
  const plain = request.url.replace(/[?#].*$/, "");
  const url = plain === scope.registration.scope ? INDEX : plain;
  if (request.method === "GET" && FILES.has(url)) event.respondWith(answer(request, url));
});
