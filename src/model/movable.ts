// The op list of one token, made once and moved from position to position: what differs between tokens is changed in place.
// Only for lists that nobody keeps, as a recorder would.

import type { Op } from "../core/op.js";

type Writable<T> = { -readonly [K in keyof T]: T[K] };
type OpOf<K extends Op["kind"]> = Writable<Extract<Op, { kind: K }>>;

export interface MovableOps {
  /** The same list, for these tokens (as many as it was built for) from `start` on; holds until the next call. */
  moveTo(tokens: readonly number[], start: number): readonly Op[];
}

/** Takes the ops over: only `moveTo` may give them out from now on. */
export function movableOps(ops: readonly Op[]): MovableOps {
  const embeds = ops.filter((op): op is OpOf<"embed"> => op.kind === "embed");
  const turns = ops.filter((op): op is OpOf<"rope"> => op.kind === "rope");
  const stores = ops.filter((op): op is OpOf<"kvStore"> => op.kind === "kvStore");
  const attentions = ops.filter((op): op is OpOf<"attention"> => op.kind === "attention");
  return {
    moveTo(tokens, start) {
      for (const op of embeds) op.tokens = tokens;
      for (const op of turns) op.start = start;
      for (const op of stores) op.start = start;
      for (const op of attentions) {
        op.start = start;
        op.context = start + tokens.length;
      }
      return ops;
    },
  };
}
