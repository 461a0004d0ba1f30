// The platform of the demo's worker. The shipped files are fetched whole and kept, since static hosts and offline caches
// answer no byte ranges; files of the user are read where they lie, piece by piece, and never leave the page.

import { blobFiles, browserPlatform, InputError, type Platform, SHIPPED_MODEL } from "../../../src/browser.js";
import type { GivenFile } from "../protocol.js";

/** What the shipped model's folder has for readers; asking a server for others would put failures on the console. */
export const SHIPPED_FILES: readonly string[] = [
  "config.json",
  "generation_config.json",
  "model.safetensors",
  "preprocessor_config.json",
  "processor_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
].map((name) => `${SHIPPED_MODEL}/${name}`);

/** A config.json of a model has some kilobytes. */
const MOST_CONFIG_BYTES = 1e6;

async function fetchBlob(url: string): Promise<Blob> {
  const answer = await fetch(url).catch((error: unknown) => {
    throw new InputError(url, "", `cannot be reached (${(error as Error).message})`, "Check the connection");
  });
  if (answer.ok) return answer.blob();
  throw new InputError(url, "", `the server answered ${answer.status}`, "Put the whole folder on the server");
}

/** The page's platform; every file is fetched once. @param base address of the page's folder, ending in "/" */
export function shippedPlatform(base: string): Platform {
  const fetched = new Map<string, Promise<Blob>>();
  const blob = (url: string): Promise<Blob> => {
    const known = fetched.get(url) ?? fetchBlob(url);
    fetched.set(url, known);
    // What failed may work when asked again.
    known.catch(() => fetched.delete(url));
    return known;
  };
  const files = async (url: string) => blobFiles(new Map([[url, await blob(url)]]));
  return {
    ...browserPlatform(base),
    open: async (url) => (await files(url)).open(url),
    readText: async (url) => (await files(url)).readText(url),
    exists: async (url) => SHIPPED_FILES.some((name) => url === base + name),
    list: async () => [],
    wasm: async (name) => new Uint8Array(await (await blob(`${base}build/${name}.wasm`)).arrayBuffer()),
  };
}

/** "_name_or_path" of a config.json; what is wrong with one is told when it is read as a model's. */
function pathIn(text: string): string {
  try {
    const { _name_or_path: path } = JSON.parse(text) as { readonly _name_or_path?: unknown };
    return typeof path === "string" ? path : "";
  } catch {
    return "";
  }
}

/** A name for files without a folder: what config.json or the weights' file says, if that tells anything. */
async function nameOf(config: Blob, weights: string): Promise<string> {
  const text = config.size < MOST_CONFIG_BYTES ? await config.text() : "";
  const told = /^(?:.*[/\\])?([\w-][\w.-]*)$/.exec(pathIn(text))?.[1];
  const stem = weights.replace(/\.\w+$/, "");
  return told ?? (/^(pytorch_)?model(-\d+-of-\d+)?$/.test(stem) ? "the opened files" : stem);
}

/** A platform whose files are the user's, and the path of the model among them. */
export async function ownFiles(
  platform: Platform,
  given: readonly GivenFile[],
): Promise<{ readonly platform: Platform; readonly path: string }> {
  const config = given.find(({ name }) => /(^|\/)config\.json$/.test(name));
  const weights = given.find(({ name }) => /\.(gguf|safetensors|onnx|bin)$/i.test(name)) ?? given[0];
  if (!weights) throw new InputError("files", "", "none was given", "Choose a GGUF file or a folder with config.json");
  if (!config && weights.name.endsWith(".safetensors")) {
    const remedy = "Choose config.json and tokenizer.json together with it";
    throw new InputError(weights.name, "", "says nothing of the model's shape", remedy);
  }
  const isFolder = config !== undefined && !/\.gguf$/i.test(weights.name);
  // Loose files get a folder, whose name is the model's.
  const above = isFolder && config.name === "config.json" ? `${await nameOf(config.file, weights.name)}/` : "";
  const own = blobFiles(new Map(given.map(({ name, file }) => [above + name, file])));
  const readText = async (asked: string) =>
    (await own.exists(asked)) ? own.readText(asked) : platform.readText(asked);
  const folder = isFolder ? (above + config.name).slice(0, -"/config.json".length) : "";
  const usual = [`${folder}/model.safetensors`, `${folder}/model.safetensors.index.json`];
  const hasUsual = (await Promise.all(usual.map((name) => own.exists(name)))).some(Boolean);
  const isOddlyNamed = !hasUsual && weights.name.endsWith(".safetensors");
  return {
    platform: { ...platform, ...own, readText },
    path: isFolder && !isOddlyNamed ? folder : above + weights.name,
  };
}
