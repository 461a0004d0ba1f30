// The picture: drawn by hand, chosen digit by digit, a shipped sample, or a file of the user. What the canvas shows is what the
// model sees; a file keeps its own pixels until something is drawn over it.

import { SHIPPED_MODEL } from "../../../src/browser.js";
import type { Pixels } from "../protocol.js";
import type { Client } from "./client.js";
import { button, fillSelect, find } from "./dom.js";
import { drawDigit, inkOf } from "./strokes.js";

const CELLS = 2;

export interface PicturePanel {
  /** "kept": the worker has it. */
  pixels(): Pixels | "kept";
  /** Opens a picture of the user. */
  open(file: Blob, name: string): Promise<void>;
}

/** @param tell shows a message to the user */
export function openPicturePanel(client: Client, base: string, tell: (message: string) => void): PicturePanel {
  const canvas = find("canvas", HTMLCanvasElement);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("this browser gives no canvas");
  const cell = canvas.width / CELLS;
  const selects = [...document.querySelectorAll<HTMLSelectElement>("select[data-cell]")];
  let isKept = false;
  /** Counts what was drawn: a picture that comes late must not wipe it out. */
  let edits = 0;
  let opening: AbortController | null = null;
  const about = (words: string) => canvas.setAttribute("aria-label", `The picture: ${words}`);

  function edited(): void {
    isKept = false;
    edits++;
    opening?.abort();
  }

  function wipe(): void {
    isKept = false;
    context?.reset();
    if (context) context.fillRect(0, 0, canvas.width, canvas.height);
    for (const select of selects) select.value = "";
    about("empty");
  }

  function put(place: number, digit: string): void {
    edited();
    const [left, top] = [(place % CELLS) * cell, Math.floor(place / CELLS) * cell];
    if (digit === "") context?.fillRect(left, top, cell, cell);
    else if (context) drawDigit(context, Number(digit), left, top, cell);
    about(`digits ${selects.map(({ value }) => value || "none").join(", ")}`);
  }

  async function open(file: Blob, name: string): Promise<void> {
    opening?.abort();
    opening = new AbortController();
    const { signal } = opening;
    const before = edits;
    const onTurn = (waitsUntil: string | null) => {
      if (waitsUntil !== null) tell(`${name} waits until ${waitsUntil}.`);
    };
    const answer = await client.work({ kind: "picture", file, name }, { signal, onTurn });
    if (answer.kind === "failed") return tell(answer.message);
    // Something was drawn meanwhile.
    if (answer.kind !== "decoded" || edits !== before) return;
    wipe();
    isKept = true;
    const { width, height, preview } = answer;
    context?.putImageData(new ImageData(preview.rgba, preview.width, preview.height), 0, 0);
    about(name);
    tell(`${name}: ${width} x ${height} pixels. It stays in this page.`);
  }

  for (const [place, select] of selects.entries()) {
    const names = Array.from({ length: 10 }, (_, digit) => [String(digit), String(digit)] as const);
    fillSelect(select, [["", "none"], ...names]);
    select.addEventListener("change", () => put(place, select.value));
  }
  button("clear").addEventListener("click", () => {
    edited();
    wipe();
  });
  button("random").addEventListener("click", () => {
    for (const [place, select] of selects.entries()) {
      select.value = String(Math.floor(Math.random() * 10));
      put(place, select.value);
    }
  });
  for (const sample of document.querySelectorAll<HTMLButtonElement>("button[data-sample]")) {
    const name = sample.dataset.sample ?? "";
    sample.addEventListener("click", async () => {
      const found = await fetch(`${base}${SHIPPED_MODEL}/samples/${name}`).catch(() => null);
      if (found?.ok) await open(await found.blob(), name);
      else tell(`The sample ${name} cannot be reached.`);
    });
  }
  drawByHand(canvas, context, cell, () => {
    edited();
    about("drawn by hand");
  });
  wipe();
  return {
    pixels() {
      if (isKept) return "kept";
      const { width, height, data } = context.getImageData(0, 0, canvas.width, canvas.height);
      return { width, height, rgba: data as Pixels["rgba"] };
    },
    open,
  };
}

function drawByHand(canvas: HTMLCanvasElement, context: CanvasRenderingContext2D, cell: number, onInk: () => void) {
  const at = (event: PointerEvent) => {
    const box = canvas.getBoundingClientRect();
    const scale = canvas.width / box.width;
    return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale] as const;
  };
  let last: readonly [number, number] | null = null;
  const line = (event: PointerEvent) => {
    const next = at(event);
    inkOf(context, cell);
    context.beginPath();
    context.moveTo(...(last ?? next));
    context.lineTo(...next);
    context.stroke();
    last = next;
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    onInk();
    last = at(event);
    line(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (last) line(event);
  });
  for (const end of ["pointerup", "pointercancel"] as const) {
    canvas.addEventListener(end, () => {
      last = null;
    });
  }
}
