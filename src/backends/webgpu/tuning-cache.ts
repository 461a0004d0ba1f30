// Kernel variants that were found on this adapter before, kept where the platform keeps small texts. A file holds for one
// adapter with its driver (as far as the implementation tells it), its features and limits, and these very shaders.

import { hashText } from "../../core/host.js";
import type { Platform } from "../../core/ports.js";
import type { AdapterFacts } from "./adapter.js";
import type { Choice } from "./matmul.js";
import type { Shaders } from "./shaders.js";
import { candidates, type Tuning } from "./tune.js";

/** Any change of adapter, driver, implementation or shader text gives another name. */
export function tuningName(
  { name }: Pick<Platform, "name">,
  facts: AdapterFacts,
  shaders: Shaders,
  f16: boolean,
): string {
  return `webgpu-tuning-${hashText(JSON.stringify([name, facts, shaders, f16]))}`;
}

const MOST_INVOCATIONS = 1024;

function isChoice(value: unknown): value is Choice {
  const { size, subgroups } = (value ?? {}) as Partial<Choice>;
  return candidates(true, MOST_INVOCATIONS).some((one) => one.size === size && one.subgroups === subgroups);
}

/** What was kept; nothing where there is no file, or one that is broken. */
export async function keptTuning({ texts }: Pick<Platform, "texts">, name: string): Promise<Tuning> {
  const text = await texts?.read(name);
  if (!text) return {};
  try {
    const entries = Object.entries(JSON.parse(text) as Record<string, unknown>);
    return Object.fromEntries(entries.filter((entry): entry is [string, Choice] => isChoice(entry[1])));
  } catch {
    return {};
  }
}

/** Keeps all variants found so far. */
export async function keepTuning({ texts }: Pick<Platform, "texts">, name: string, tuning: Tuning): Promise<void> {
  await texts?.write(name, JSON.stringify(tuning));
}
