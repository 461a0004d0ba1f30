// Units used everywhere: time is ns in float64, bandwidth is 1e9 bytes a second, sizes are bytes.

/** Bytes of one cache line, the unit in which CXL.mem moves data (CXL 3.1 specification, 64-byte flits). */
export const LINE_BYTES = 64;
export const KIB = 1024;
export const MIB = 1024 * KIB;
export const GIB = 1024 * MIB;

/** Where a figure comes from; the three kinds of time are never mixed. */
export type FigureSource = "measured" | "predicted" | "modelled" | "derived" | "assumed";

/** One number with its unit and origin. */
export interface Figure {
  readonly value: number;
  readonly unit: string;
  readonly source: FigureSource;
}

/** A figure that is only known to lie between two ends. */
export interface FigureRange {
  readonly low: number;
  readonly high: number;
  readonly unit: string;
  readonly source: FigureSource;
}
