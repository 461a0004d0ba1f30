// Figures as text, the same in every report: three significant digits, units with a space, a dash for what is absent.

import type { Figure } from "../core/units.js";

/** Stands for a figure that does not exist; the reason stands in a note or in the JSON. */
export const ABSENT = "–";

/** Three significant digits without an exponent: 1234 -> "1234", 12.345 -> "12.3", 0.01234 -> "0.0123". */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return ABSENT;
  if (value === 0) return "0";
  const places = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(places, 6));
}

/** A time in the unit that suits it. */
export function timeText(ns: number): string {
  const size = Math.abs(ns);
  if (size >= 1e9) return `${digits(ns / 1e9)} s`;
  if (size >= 1e6) return `${digits(ns / 1e6)} ms`;
  if (size >= 1e3) return `${digits(ns / 1e3)} us`;
  return `${digits(ns)} ns`;
}

export function bytesText(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = bytes < 1024 ? 0 : Math.min(4, Math.floor(Math.log2(bytes) / 10));
  return `${power === 0 ? bytes : digits(bytes / 1024 ** power)} ${units[power]}`;
}

export function percentText(share: number): string {
  return `${(share * 100).toFixed(share >= 0.0995 ? 0 : 1)} %`;
}

/** A figure's value by its unit; the dash when it is absent. */
export function figureText(figure: Figure | null | undefined): string {
  if (!figure) return ABSENT;
  switch (figure.unit) {
    case "ns":
      return timeText(figure.value);
    case "B":
      return bytesText(figure.value);
    case "share":
      return percentText(figure.value);
    case "x":
      return `${figure.value.toFixed(2)}x`;
    case "1":
      return digits(figure.value);
    default:
      return `${digits(figure.value)} ${figure.unit}`;
  }
}
