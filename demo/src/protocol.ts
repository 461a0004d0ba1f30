// What the page and its worker say to each other: plain values only. Every request is answered once, by an event with its
// number; events without one come by themselves.

import type { Section, Target, TargetStatus, Warning } from "../../src/browser.js";
import type { Settings } from "./settings.js";

/** A picture as canvases hold it. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** [height, width, 4] bytes. */
  readonly rgba: Uint8ClampedArray<ArrayBuffer>;
}

export type Work =
  /** Opens the shipped model or files of the user; null: the fastest target. */
  | { readonly kind: "open"; readonly files: readonly GivenFile[] | null; readonly target: string | null }
  /** "kept": the picture that was decoded last; null: no picture, the text is continued. */
  | { readonly kind: "ask"; readonly prompt: string; readonly pixels: Pixels | "kept" | null }
  /** Decodes a picture and keeps it in the worker. */
  | { readonly kind: "picture"; readonly file: Blob; readonly name: string }
  | { readonly kind: "bench"; readonly shape: boolean; readonly targets: readonly string[] | "all" }
  | { readonly kind: "calibrate" };

/** A file of the user; its name may hold the folder it came from. */
export interface GivenFile {
  readonly name: string;
  readonly file: Blob;
}

export type Request =
  | { readonly kind: "work"; readonly id: number; readonly work: Work }
  | { readonly kind: "begin"; readonly base: string; readonly version: string; readonly settings: Settings }
  | { readonly kind: "settings"; readonly settings: Settings }
  /** A profile that an earlier calibration of this browser left behind, as text. */
  | { readonly kind: "profile"; readonly text: string }
  | { readonly kind: "hidden"; readonly hidden: boolean }
  /** Stops the work of this number, whether it runs or waits; no other. */
  | { readonly kind: "stop"; readonly id: number };

export interface ModelFacts {
  readonly name: string;
  readonly fileBytes: number;
  readonly residentBytes: number;
  readonly quant: string;
  readonly target: Target;
  readonly sees: boolean;
  readonly talks: boolean;
  /** What in its files may make its answers differ from what its makers meant. */
  readonly warnings: readonly string[];
  readonly loadMs: number;
}

export interface AnswerFacts {
  readonly text: string;
  readonly tokens: number;
  readonly firstTokenMs: number;
  readonly stopped: boolean;
}

/** One epoch of an answer. */
export interface EpochFacts {
  readonly phase: string;
  readonly measuredMs: number;
  /** Really waited beyond that; 0 under the virtual clock. */
  readonly spunMs: number;
  readonly predictedMs: number;
  /** [pools] bytes beyond the cache. */
  readonly missBytes: readonly number[];
}

/** Speeds of one model under the settings; tokens/s of decoding. */
export interface Speeds {
  readonly localTokensPerSecond: number;
  readonly placedTokensPerSecond: number;
}

export interface Estimate {
  /** The settings it was worked out for, as an address holds them. */
  readonly scenario: string;
  readonly pools: readonly string[];
  readonly rules: readonly string[];
  readonly topology: string;
  readonly latencyNs: number | null;
  readonly bandwidthGBps: number | null;
  readonly cacheBytes: number;
  /** Of the open model: modelled with the shipped host profile, the same on every machine. */
  readonly modelled: Speeds | null;
  /** Bytes beyond the cache a token, modelled; 0: the model stays in the cache. */
  readonly missBytesPerToken: number;
  /** The last answer with this machine's delays, decoded tokens/s; null before one or when it had one token only. */
  readonly predicted: Speeds | null;
  readonly epochs: readonly EpochFacts[];
  /** LLaVA-1.5-7B's decoder in int4, modelled; or why it cannot be placed so. */
  readonly shape: Speeds | { readonly problem: string };
  /** Name and kind of the profile behind `predicted`. */
  readonly host: string;
}

export type Answer =
  | { readonly kind: "opened"; readonly model: ModelFacts }
  | { readonly kind: "asked"; readonly answer: AnswerFacts }
  /** The middle square of a picture of this size, as a preview. */
  | { readonly kind: "decoded"; readonly width: number; readonly height: number; readonly preview: Pixels }
  | {
      readonly kind: "benched";
      readonly interrupted: boolean;
      readonly sections: readonly Section[];
      readonly warnings: readonly Warning[];
      readonly markdown: string;
      /** The whole result; a Blob, since its epochs are many and the page only saves them. */
      readonly json: Blob;
    }
  | {
      readonly kind: "calibrated";
      readonly sections: readonly Section[];
      readonly json: string;
    }
  /** Stopped while it waited: it never began. */
  | { readonly kind: "stopped" }
  | { readonly kind: "failed"; readonly message: string };

export type Event =
  | { readonly kind: "done"; readonly id: number; readonly answer: Answer }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "progress"; readonly stage: string; readonly done: number; readonly total: number }
  | { readonly kind: "targets"; readonly targets: readonly TargetStatus[] }
  /** The model went to another target by itself; the answer under way begins anew. */
  | { readonly kind: "reopened"; readonly model: ModelFacts }
  | { readonly kind: "estimate"; readonly estimate: Estimate }
  | { readonly kind: "note"; readonly message: string };
