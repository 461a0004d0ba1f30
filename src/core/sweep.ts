// One line of a sweep: a compressed model under one topology and placement, as plain values (JSON Lines).

export interface SweepLine {
  readonly schemaVersion: 1;
  /** What makes two lines the same work. */
  readonly key: string;
  readonly model: string;
  readonly prune: number;
  readonly heal: string;
  readonly quant: string;
  readonly topology: string;
  /** Rules, joined by commas; "default": the topology's own. */
  readonly placement: string;
  readonly layers: number;
  readonly weightBytes: number;
  /** Nats from the original; the larger of text and answers. null: could not be measured. */
  readonly kl: number | null;
  readonly klText: number | null;
  readonly klAnswer: number | null;
  readonly accuracy: number | null;
  /** Greedy decoding at a full context, modelled from the frozen host profile: the same on every machine. */
  readonly tokensPerSecond: number;
}
