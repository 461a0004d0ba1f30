// Which model is open, on which target, and opening another: files of the user stay in the page.

import { type TargetStatus, targetName } from "../../../src/browser.js";
import type { GivenFile, ModelFacts } from "../protocol.js";
import type { Client } from "./client.js";
import { button, digits, fillSelect, fillTerms, find, megabytes, sentence } from "./dom.js";

export interface ModelPanel {
  /** Opens files of the user; null: the shipped model. */
  open(files: readonly GivenFile[] | null): Promise<void>;
}

function show({ name, fileBytes, residentBytes, quant, target, sees, talks, loadMs, warnings }: ModelFacts): void {
  fillTerms("model", [
    ["name", name],
    ["file", megabytes(fileBytes)],
    ["in memory", `${megabytes(residentBytes)} (${quant === "stored" ? "as its file has it" : quant})`],
    [
      "reads",
      `${sees ? "pictures and text" : "text only"}${talks ? "" : "; it has no tokenizer, so it cannot answer"}`,
    ],
    ["runs on", targetName(target)],
    ["loaded in", `${digits(loadMs)} ms`],
    ...warnings.map((warning) => ["warning", sentence(warning)] as const),
  ]);
}

/** @param onReady told whether a model is open; @param onOpened what belongs to the model before goes */
export function openModelPanel(
  client: Client,
  tell: (message: string) => void,
  onReady: (ready: boolean) => void,
  onOpened: () => void,
): ModelPanel {
  const target = find("target", HTMLSelectElement);
  let files: readonly GivenFile[] | null = null;
  let isOpen = false;

  async function open(given: readonly GivenFile[] | null): Promise<void> {
    onReady(false);
    const wanted = target.value === "" ? null : target.value;
    const onTurn = (waitsUntil: string | null) =>
      tell(waitsUntil === null ? "Loading the model." : `The model waits until ${waitsUntil}.`);
    const answer = await client.work({ kind: "open", files: given, target: wanted }, { onTurn });
    if (answer.kind === "opened") {
      files = given;
      isOpen = true;
      show(answer.model);
      onOpened();
      const { name, target: on, warnings } = answer.model;
      tell([`Ready: ${name} on ${targetName(on)}.`, ...warnings.map((text) => `Warning: ${sentence(text)}`)].join(" "));
    } else if (answer.kind === "failed") {
      tell(`${sentence(answer.message)}${isOpen ? " The model that was open stays open." : ""}`);
    }
    onReady(isOpen);
  }

  client.on("targets", ({ targets }) => {
    const available = targets.filter((status: TargetStatus) => status.available);
    const names = available.map((status) => targetName(status.target));
    fillSelect(target, [["", "the fastest"], ...names.map((name) => [name, name] as const)]);
  });
  client.on("reopened", ({ model }) => {
    target.value = "";
    show(model);
  });
  target.addEventListener("change", () => void open(files));
  button("shipped").addEventListener("click", () => void open(null));
  const input = find("model-files", HTMLInputElement);
  input.addEventListener("change", () => {
    const given = [...(input.files ?? [])].map((file) => ({ name: file.webkitRelativePath || file.name, file }));
    if (given.length > 0) void open(given);
    input.value = "";
  });
  return { open };
}
