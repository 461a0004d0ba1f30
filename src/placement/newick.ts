// Topologies as CXLMemSim writes them: `(1,(2,3));` and per-node vectors after it. The outer parentheses are the host's root
// port, each nested pair is a switch, a number is the 1-based place of an endpoint in the vectors. `:length` is skipped (it
// is no latency there), `CPU` is ignored, `CXL` is the next endpoint, `R:node:expander` a remote one.

import { InputError } from "../core/errors.js";

export type NewickNode =
  | { readonly kind: "switch"; readonly children: readonly NewickNode[] }
  | { readonly kind: "endpoint"; readonly index: number }
  | { readonly kind: "remote"; readonly node: number; readonly expander: number };

/** A tree and the numbers after it, by the word before them: `latency 200,250 200,250`. */
export interface Newick {
  readonly root: Extract<NewickNode, { kind: "switch" }>;
  readonly vectors: Readonly<Partial<Record<VectorName, readonly number[]>>>;
}

const VECTORS = ["latency", "bandwidth", "capacity", "dram", "switch"] as const;
type VectorName = (typeof VECTORS)[number];
const DEEPEST = 32;

class Reader {
  #at = 0;
  #next = 1;

  constructor(
    readonly source: string,
    readonly text: string,
  ) {}

  fail(problem: string): never {
    throw new InputError(this.source, `column ${this.#at + 1}`, problem, "Write a tree such as (1,(2,3));");
  }

  #skip(): string {
    while (/\s/.test(this.text[this.#at] ?? "")) this.#at++;
    return this.text[this.#at] ?? "";
  }

  #take(pattern: RegExp): RegExpExecArray | null {
    const sticky = new RegExp(pattern.source, "y");
    sticky.lastIndex = this.#at;
    const match = sticky.exec(this.text);
    if (match) this.#at = sticky.lastIndex;
    return match;
  }

  /** What stands after `(` up to its `)`. */
  switchNode(depth: number): Extract<NewickNode, { kind: "switch" }> {
    if (this.#skip() !== "(") this.fail("a tree opens with (");
    if (depth > DEEPEST) this.fail(`more than ${DEEPEST} switches deep`);
    this.#at++;
    const children: NewickNode[] = [];
    for (;;) {
      const child = this.#child(depth);
      if (child) children.push(child);
      const end = this.#skip();
      if (end !== "," && end !== ")")
        this.fail(end === "" ? "the tree ends before its last )" : `${end} is unexpected`);
      this.#at++;
      if (end === ")") break;
    }
    this.#take(/[A-Za-z_]*(:[\d.]+)?/);
    return { kind: "switch", children };
  }

  #child(depth: number): NewickNode | null {
    if (this.#skip() === "(") return this.switchNode(depth + 1);
    const remote = this.#take(/R:(\d+):(\d+)/);
    if (remote) return { kind: "remote", node: Number(remote[1]), expander: Number(remote[2]) };
    if (this.#take(/CPU(:[\d.]+)?/)) return null;
    if (this.#take(/CXL(:[\d.]+)?/)) return { kind: "endpoint", index: this.#next++ };
    const number = this.#take(/(\d+)(:[\d.]+)?/);
    if (!number) return this.fail("an endpoint's number, CPU, CXL, R:node:expander or ( is missing");
    return { kind: "endpoint", index: Number(number[1]) };
  }

  /** Text behind the tree. */
  rest(): string {
    if (this.#skip() === ";") this.#at++;
    return this.text.slice(this.#at);
  }
}

function parseVectors(source: string, text: string): Newick["vectors"] {
  const vectors: Partial<Record<VectorName, number[]>> = {};
  let name: VectorName | undefined;
  for (const word of text.split(/[\s=;]+/).filter((part) => part !== "")) {
    const known = VECTORS.find((candidate) => candidate === word);
    if (known) {
      name = known;
      vectors[name] = [];
      continue;
    }
    if (!name) throw new InputError(source, word, "is no vector", `Known: ${VECTORS.join(", ")}.`);
    const list = vectors[name] as number[];
    for (const item of word.split(",").filter((part) => part !== "")) {
      const value = Number(item);
      const field = `${name}[${list.length}]`;
      if (!(value >= 0 && value <= 1e6)) throw new InputError(source, field, `${item} is no figure`, "Give 0 to 1e6.");
      list.push(value);
    }
  }
  return vectors;
}

/** Parses a tree and its vectors. Throws InputError with the column, or with the path of the number. */
export function parseNewick(source: string, text: string): Newick {
  const reader = new Reader(source, text);
  const root = reader.switchNode(0);
  const newick = { root, vectors: parseVectors(source, reader.rest()) };
  const { endpoints } = newickShape(root);
  if (endpoints === 0) reader.fail("the tree has no endpoint");
  return newick;
}

export interface NewickShape {
  readonly switches: number;
  readonly endpoints: number;
  readonly rootEndpoints: number;
  readonly rootSwitches: number;
}

/** Switches (the root counted) and endpoints of a tree, and how many of each hang on the root itself. */
export function newickShape(root: Newick["root"]): NewickShape {
  const ownSwitches = root.children.filter((child) => child.kind === "switch");
  const below = ownSwitches.map(newickShape);
  const rootEndpoints = root.children.length - ownSwitches.length;
  return {
    switches: below.reduce((sum, shape) => sum + shape.switches, 1),
    endpoints: below.reduce((sum, shape) => sum + shape.endpoints, rootEndpoints),
    rootEndpoints,
    rootSwitches: ownSwitches.length,
  };
}
