// What each named test does with a session: an untimed part, then the timed iteration.

import { InputError } from "../core/errors.js";
import { parseTest, type TestSpec } from "../core/scenario.js";
import type { Room, Session, Subject } from "./parts.js";

export interface TestBody {
  /** Untimed: empties the cache and fills it to the test's depth. */
  before(session: Session): Promise<void>;
  /** Timed. */
  iteration(session: Session): Promise<void>;
}

/** Seeded token ids in [5, vocab): no special tokens, the same on every machine. */
export function inputTokens(count: number, vocab: number, seed: number): number[] {
  const first = Math.min(5, vocab - 1);
  let state = (seed * 2654435761 + 1) >>> 0;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return first + (state % (vocab - first));
  });
}

/** The named tests, or an InputError naming the bad one. */
export function testsOf(names: readonly string[]): TestSpec[] {
  return names.map((name) => {
    const spec = parseTest(name);
    if (spec) return spec;
    throw new InputError("scenario", "tests", `"${name}" is no test`, "Write vision, ppN, tgN, tgN@dM or ttftN");
  });
}

/** Room for the longest of some tests, pictures not counted. */
export function roomFor(specs: readonly TestSpec[]): Room {
  const positions = specs.map((spec) => {
    switch (spec.kind) {
      case "vision":
        return 1;
      case "prefill":
      case "decode":
        return spec.depth + spec.tokens;
      case "first":
        return 1 + spec.tokens;
      default:
        return spec satisfies never;
    }
  });
  return { positions: Math.max(...positions), logitRows: 1 };
}

/** Why a subject cannot run a test; null when it can. */
export function cannotRun(spec: TestSpec, subject: Pick<Subject, "image" | "synthetic">): string | null {
  if (spec.kind !== "vision" || subject.image) return null;
  return subject.synthetic ? "the synthetic shape is a decoder without a vision tower" : "this model reads text only";
}

/** The body of a test for one subject; inputs are made here, outside the timed part. */
export function testBody(spec: TestSpec, subject: Pick<Subject, "image" | "vocab">, seed: number): TestBody {
  const { image, vocab } = subject;
  const fill = async (session: Session, depth: number) => {
    session.rewind();
    if (depth > 0) await session.next(inputTokens(depth, vocab, seed + 1));
  };
  switch (spec.kind) {
    case "vision":
      return {
        before: async () => {},
        iteration: async (session) => {
          if (image) await session.see(image.pixels);
        },
      };
    case "prefill": {
      const tokens = inputTokens(spec.tokens, vocab, seed);
      return {
        before: (session) => fill(session, spec.depth),
        iteration: async (session) => void (await session.next(tokens)),
      };
    }
    case "decode": {
      // Fixed tokens, as llama-bench: the answer may differ by rounding, and with it the op list.
      const tokens = inputTokens(spec.tokens, vocab, seed);
      return {
        before: (session) => fill(session, spec.depth),
        async iteration(session) {
          for (const token of tokens) await session.next([token]);
        },
      };
    }
    case "first": {
      const words = inputTokens(1 + spec.tokens, vocab, seed);
      const pictureRows = image ? new Array<number>(image.rows).fill(image.token) : [];
      const prompt = [words[0] as number, ...pictureRows, ...words.slice(1)];
      return {
        before: (session) => fill(session, 0),
        async iteration(session) {
          if (image) await session.see(image.pixels);
          await session.next(prompt);
        },
      };
    }
    default:
      return spec satisfies never;
  }
}
