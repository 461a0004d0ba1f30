// Question and answer: the form, the stream of words, and how long they took.

import type { Answer } from "../protocol.js";
import type { Client } from "./client.js";
import { button, digits, element, find, text } from "./dom.js";
import type { PicturePanel } from "./picture.js";

const QUESTIONS = [
  "which digit is top left?",
  "which digit is in the bottom right?",
  "how many sixes?",
  "is the top left digit larger than the top right one?",
  "what shape is in the image?",
  "what color is the shape?",
  "is there a red circle?",
];

export interface AskPanel {
  /** Whether questions can be taken. */
  ready(is: boolean): void;
  /** Takes the last answer away: it was another model's. */
  clear(): void;
}

function factsOf({ tokens, firstTokenMs, stopped }: Extract<Answer, { kind: "asked" }>["answer"]): string {
  const first = `first token after ${digits(firstTokenMs)} ms`;
  return `${tokens} ${tokens === 1 ? "epoch" : "epochs"} of text, ${first}${stopped ? ", stopped" : ""}`;
}

/** @param tell shows a message to the user */
export function openAskPanel(client: Client, picture: PicturePanel, tell: (message: string) => void): AskPanel {
  const output = find("answer", HTMLOutputElement);
  const question = find("question", HTMLInputElement);
  const withPicture = find("with-picture", HTMLInputElement);
  let canAsk = false;
  let asking: AbortController | null = null;
  const show = () => {
    button("ask-button").disabled = asking !== null || !canAsk;
    button("stop-button").disabled = asking === null;
  };
  find("questions", HTMLDataListElement).replaceChildren(
    ...QUESTIONS.map((value) => Object.assign(element("option"), { value })),
  );
  const clear = () => {
    output.textContent = "";
    text("answer-facts", "");
  };
  client.on("reopened", clear);
  client.on("text", ({ text: piece }) => output.append(piece));

  async function ask(): Promise<void> {
    asking = new AbortController();
    show();
    clear();
    const pixels = withPicture.checked ? picture.pixels() : null;
    const onTurn = (waitsUntil: string | null) =>
      tell(waitsUntil === null ? "Answering." : `The question waits until ${waitsUntil}.`);
    const { signal } = asking;
    const answer = await client.work({ kind: "ask", prompt: question.value, pixels }, { signal, onTurn });
    asking = null;
    show();
    if (answer.kind === "asked") {
      text("answer-facts", factsOf(answer.answer));
      tell("Answered.");
    } else if (answer.kind === "stopped") tell("Stopped: the question was not answered.");
    else if (answer.kind === "failed") tell(answer.message);
  }

  find("question-form", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    if (canAsk && !asking) void ask();
  });
  button("stop-button").addEventListener("click", () => {
    tell("Stopping.");
    asking?.abort();
  });
  return {
    clear,
    ready(is) {
      canAsk = is;
      show();
    },
  };
}
