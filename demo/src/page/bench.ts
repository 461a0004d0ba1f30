// Benchmark mode: targets to choose, progress, cancel, tables, and the result to take away. Calibration of the host beside it.

import { targetName, type Warning } from "../../../src/browser.js";
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
    const area = element("textarea", content);
    area.setAttribute("aria-label", "The result as Markdown");
    find("bench-result", HTMLElement).prepend(area);
    area.select();
    tell("This browser lets no page write to the clipboard: copy it from the box.");
  }
}

/** The benchmark's form. @param onReady the question waits while it runs */
export function openBenchPanel(client: Client, tell: (message: string) => void): { ready(is: boolean): void } {
  const run = button("bench-run");
  const bar = find("bench-progress", HTMLProgressElement);
  const chosen = find("bench-targets", HTMLElement);
  let busy = false;
  let canRun = false;
  let markdown = "";
  let json = new Blob();
  const show = () => {
    run.disabled = busy || !canRun;
    button("bench-stop").disabled = !busy;
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
    if (!busy) return;
    text("bench-stage", stage);
    bar.max = total;
    bar.value = done;
  });

  async function start(): Promise<void> {
    const targets = [...chosen.querySelectorAll<HTMLInputElement>("input:checked")].map(({ value }) => value);
    if (targets.length === 0) return tell("Choose a target first.");
    busy = true;
    show();
    tell("Measuring; keep this tab in front.");
    const shape = find("bench-shape", HTMLInputElement).checked;
    const answer = await client.work({ kind: "bench", shape, targets });
    busy = false;
    show();
    bar.value = bar.max;
    text("bench-stage", answer.kind === "benched" && answer.interrupted ? "Cancelled" : "Done");
    if (answer.kind === "failed") return tell(answer.message);
    if (answer.kind !== "benched") return;
    ({ markdown, json } = answer);
    find("bench-out", HTMLElement).hidden = false;
    find("bench-result", HTMLElement).replaceChildren(...warnings(answer.warnings));
    await appendTables(find("bench-result", HTMLElement), answer.sections);
    tell(answer.interrupted ? "Cancelled: these are the results so far." : "Measured.");
  }

  find("bench-form", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    if (canRun && !busy) void start();
  });
  button("bench-stop").addEventListener("click", () => client.send({ kind: "stop" }));
  button("copy-markdown").addEventListener("click", () => void copy(markdown, tell));
  button("download-json").addEventListener("click", () => download("nibblemark.json", json));
  return {
    ready(is) {
      canRun = is;
      show();
    },
  };
}
