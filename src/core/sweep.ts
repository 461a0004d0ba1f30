// One line of a sweep: a compressed model under one topology and placement, as plain values (JSON Lines).

/** What a line is about. */
export interface SweepCell {
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
  /** How the removed blocks were chosen; null: none is removed. */
  readonly criterion: string | null;
  /** Hash of the model's files, and of the calibration set with its pictures (null: none). */
  readonly modelHash: string;
  readonly calibrationHash: string | null;
}

/** A cell that could not be made; a later call tries again. */
export interface SweepFailure extends SweepCell {
  readonly failed: string;
}

export interface SweepLine extends SweepCell {
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
