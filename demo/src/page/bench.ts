// Benchmark mode: targets to choose, progress, cancel, tables, and the result to take away. Calibration of the host beside it.

import { targetName, type Warning } from "../../../src/browser.js";
import type { Answer } from "../protocol.js";
import type { Client } from "./client.js";
import { appendTables, button, element, find, text } from "./dom.js";

function download(name: string, content: Blob): void {
  const link = element("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

function warnings(list: readonly Warning[]): HTMLElement[] {
  return list.map(({ message, remedy }) => element("p", `${message}. ${remedy}.`, "note"));
}

async function copy(content: string, tell: (message: string) => void): Promise<void> {
  try {
    await navigator.clipboard.writeText(content);
    tell("Copied.");
  } catch {
    const place = find("bench-result", HTMLElement);
    const area = place.querySelector("textarea") ?? element("textarea", content);
    area.setAttribute("aria-label", "The result as Markdown");
    place.prepend(area);
    area.select();
    tell("This browser lets no page write to the clipboard: copy it from the box.");
  }
}

function endOf(answer: Answer): string {
  if (answer.kind === "benched") return answer.interrupted ? "Cancelled" : "Done";
  return answer.kind === "stopped" ? "Cancelled" : "Failed";
}

/** The benchmark's form; what is asked or opened while it runs waits until its end. */
export function openBenchPanel(client: Client, tell: (message: string) => void): { ready(is: boolean): void } {
  const run = button("bench-run");
  const bar = find("bench-progress", HTMLProgressElement);
  const chosen = find("bench-targets", HTMLElement);
  let running: AbortController | null = null;
  let canRun = false;
  let markdown = "";
  let json = new Blob();
  const show = () => {
    run.disabled = running !== null || !canRun;
    button("bench-stop").disabled = running === null;
  };
  client.on("targets", ({ targets }) => {
    const boxes = targets.map((status) => {
      const box = element("input");
      box.type = "checkbox";
      box.value = targetName(status.target);
      // What a software adapter would be timed at says nothing of any GPU, and takes long.
      box.checked = status.available && !status.target.variant.startsWith("software");
      box.disabled = !status.available;
      const why = status.available ? ` (${status.detail})` : ` (cannot run: ${status.reason})`;
      return element("label", [box, new Text(` ${box.value}${why}`)], "check");
    });
    chosen.replaceChildren(...boxes);
  });
  client.on("progress", ({ stage, done, total }) => {
    if (client.running() !== "bench") return;
    text("bench-stage", stage);
    bar.max = total;
    bar.value = done;
  });

  async function start(): Promise<void> {
    const targets = [...chosen.querySelectorAll<HTMLInputElement>("input:checked")].map(({ value }) => value);
    if (targets.length === 0) return tell("Choose a target first.");
    running = new AbortController();
    show();
    bar.value = 0;
    const shape = find("bench-shape", HTMLInputElement).checked;
    const onTurn = (waitsUntil: string | null) => {
      text("bench-stage", waitsUntil === null ? "Beginning" : `Waiting until ${waitsUntil}`);
      tell(waitsUntil === null ? "Measuring; keep this tab in front." : `The benchmark waits until ${waitsUntil}.`);
    };
    const { signal } = running;
    const answer = await client.work({ kind: "bench", shape, targets }, { signal, onTurn });
    running = null;
    show();
    await showEnd(answer);
  }

  async function showEnd(answer: Answer): Promise<void> {
    text("bench-stage", endOf(answer));
    // After a cancel or a fault the bar stays where the work ended.
    if (endOf(answer) === "Done") bar.value = bar.max;
    if (answer.kind === "failed") return tell(answer.message);
    if (answer.kind === "stopped") return tell("Cancelled before it began.");
    if (answer.kind !== "benched") return;
    ({ markdown, json } = answer);
    find("bench-out", HTMLElement).hidden = false;
    find("bench-result", HTMLElement).replaceChildren(...warnings(answer.warnings));
    await appendTables(find("bench-result", HTMLElement), answer.sections);
    tell(answer.interrupted ? "Cancelled: these are the results so far." : "Measured.");
  }

  find("bench-form", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    if (canRun && !running) void start();
  });
  button("bench-stop").addEventListener("click", () => running?.abort());
  button("copy-markdown").addEventListener("click", () => void copy(markdown, tell));
  button("download-json").addEventListener("click", () => download("nibblemark.json", json));
  return {
    ready(is) {
      canRun = is;
      show();
    },
  };
}
