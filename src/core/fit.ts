// Plans that make a model fit a budget, as plain values (`nibblemark fit -o json`).

/** Quality of a plan that was measured on a model with as many blocks and the same form of its decoder. */
export interface KnownQuality {
  readonly kld: number | null;
  readonly top1: number | null;
  readonly source: string;
}

/** Bytes of a plan by part, as files hold them. */
export interface FitBytes {
  readonly decoder: number;
  readonly embedding: number;
  readonly vision: number;
  readonly projector: number;
  readonly kv: number;
  readonly workspace: number;
  /** Without caches and workspace. */
  readonly weights: number;
  readonly total: number;
}

export interface FitPlan {
  readonly scheme: string;
  readonly help: string;
  readonly kv: "f16" | "int8";
  /** Least number of blocks that must go, and blocks left. null: it never fits. */
  readonly removed: number | null;
  readonly layers: number;
  readonly bytes: FitBytes;
  /** Share of the unpruned model's f16 weights that total saves. */
  readonly saved: number;
  /** Greedy tokens a second at a full context, by topology; modelled from the host profile. */
  readonly tokensPerSecond: Readonly<Record<string, number>>;
  /** null: unknown, a config alone says nothing of it. */
  readonly quality: KnownQuality | null;
}

export interface FitReport {
  readonly schemaVersion: 1;
  readonly model: string;
  readonly allLayers: number;
  readonly budgetBytes: number;
  readonly context: number;
  readonly halfBytes: number;
  readonly host: string;
  readonly threads: number;
  readonly topologies: readonly string[];
  readonly floor: { readonly kld: number | null; readonly top1: number | null };
  readonly plans: readonly FitPlan[];
  /** Plans that a measurement showed to be below the floor. */
  readonly dropped: readonly FitPlan[];
}
