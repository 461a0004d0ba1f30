// Placement rules as text: `weights=cxl0`, `kv=cxl0`, `vision=cxl0`, `weights=interleave(dram:3,cxl0:1)`,
// `decoder.weights layers 4-7=split(dram:0.5,cxl0:0.5)`. Later rules win; what no rule names is local.

import { InputError } from "../core/errors.js";
import type { Placement, PlacementRule } from "../core/topology.js";

const CLASSES = ["weights", "kv", "activations", "all"] as const;
const PARTS = ["vision", "projector", "decoder", "embedding"] as const;
const SYNTAX =
  "Write SELECTOR=POOL, SELECTOR=interleave(POOL:WEIGHT,...), SELECTOR=split(POOL:SHARE,...) or SELECTOR=prefetch(POOL); a selector is a class " +
  "(weights, kv, activations, all), a part (vision, projector, decoder, embedding), `layers A-B`, or several of them.";

function parseLayers(text: string, range: string): [number, number] {
  const match = /^(\d+)(?:-(\d+))?$/.exec(range);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (match && first <= last) return [first, last];
  throw new InputError(
    "--placement",
    text,
    `${range || "nothing"} is no range of layers`,
    "Write `layers 4-7` or `layer 4`.",
  );
}

function parseSelect(text: string, selector: string): PlacementRule["select"] {
  const words = selector.split(/[\s.]+/).filter((word) => word !== "");
  let select: PlacementRule["select"] = {};
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    const known = { class: CLASSES.find((name) => name === word), part: PARTS.find((name) => name === word) };
    if (known.class) select = { ...select, class: known.class };
    else if (known.part) select = { ...select, part: known.part };
    else if (word === "layers" || word === "layer") select = { ...select, layers: parseLayers(text, words[++i] ?? "") };
    else throw new InputError("--placement", text, `${word} is no class, part or range of layers`, SYNTAX);
  }
  if (words.length === 0) throw new InputError("--placement", text, "selects nothing", SYNTAX);
  return select;
}

function parseShares(text: string, list: string): Record<string, number> {
  const shares: Record<string, number> = {};
  for (const item of list.split(",")) {
    const match = /^\s*([\w.-]+)\s*:\s*(\d+(?:\.\d+)?)\s*$/.exec(item);
    if (!match)
      throw new InputError("--placement", text, `${item.trim() || "an empty item"} is no POOL:NUMBER`, SYNTAX);
    if (match[1] in shares)
      throw new InputError("--placement", text, `${match[1]} stands twice`, "Name each pool once.");
    shares[match[1]] = Number(match[2]);
  }
  return shares;
}

/** Interleave weights are ratios (3:1); they become shares here. */
function normalised(text: string, weights: Record<string, number>): Record<string, number> {
  const sum = Object.values(weights).reduce((a, b) => a + b, 0);
  if (sum > 0) return Object.fromEntries(Object.entries(weights).map(([pool, weight]) => [pool, weight / sum]));
  throw new InputError("--placement", text, "all weights are 0", "Give at least one pool a weight above 0.");
}

/** Parses one rule. Throws InputError that quotes it. */
export function parseRule(text: string): PlacementRule {
  const equals = text.indexOf("=");
  if (equals < 0) throw new InputError("--placement", text, "has no =", SYNTAX);
  const select = parseSelect(text, text.slice(0, equals));
  const target = text.slice(equals + 1).trim();
  const call = /^(interleave|split|prefetch)\((.*)\)$/.exec(target);
  if (call?.[1] === "interleave") {
    return { select, pools: normalised(text, parseShares(text, call[2])), interleaved: true };
  }
  if (call?.[1] === "prefetch") {
    const pool = (call[2] as string).trim();
    if (!/^[\w.-]+$/.test(pool)) throw new InputError("--placement", text, `${pool || "nothing"} is no pool`, SYNTAX);
    return { select, pools: { [pool]: 1 }, interleaved: false, prefetched: true };
  }
  if (call) return { select, pools: parseShares(text, call[2]), interleaved: false };
  if (!/^[\w.-]+$/.test(target)) throw new InputError("--placement", text, `${target || "nothing"} is no pool`, SYNTAX);
  return { select, pools: { [target]: 1 }, interleaved: false };
}

export function parsePlacement(rules: readonly string[]): Placement {
  return rules.map(parseRule);
}
