// The page: starts the worker and puts the panels together. It computes nothing itself, so that it never freezes.

import { openAskPanel } from "./ask.js";
import { openBenchPanel } from "./bench.js";
import { openCalibration } from "./calibrate.js";
import { startClient } from "./client.js";
import { openDeviceCard } from "./device.js";
import { element, find, text, turn } from "./dom.js";
import { openDrops } from "./drop.js";
import { openMemoryPanel } from "./memory.js";
import { openModelPanel } from "./model.js";
import { keepOffline } from "./offline.js";
import { openPicturePanel } from "./picture.js";
import { openTimeline } from "./timeline.js";

declare const __VERSION__: string;

/** Notes beyond these push the oldest out. */
const MOST_NOTES = 4;
const base = new URL("./", document.baseURI).href;
const tell = (message: string) => text("status", message);

function note(message: string): void {
  const list = find("notes", HTMLUListElement);
  list.append(element("li", message));
  while (list.children.length > MOST_NOTES) list.firstChild?.remove();
}

// Each panel in a task of its own, so that none of them holds the page up.
await turn();
const client = startClient((message) =>
  note(`The worker of this page ended: ${message}. Reload the page to go on; what was measured so far stays visible.`),
);
client.on("note", ({ message }) => note(message));
await turn();
const memory = openMemoryPanel(client, note);
client.send({ kind: "begin", base, version: __VERSION__, settings: memory.settings });
await turn();
const device = openDeviceCard(client);
await turn();
openTimeline(client);
const picture = openPicturePanel(client, base, tell);
await turn();
const ask = openAskPanel(client, picture, tell);
await turn();
const bench = openBenchPanel(client, tell);
const readiness = (ready: boolean) => {
  ask.ready(ready);
  bench.ready(ready);
};
const model = openModelPanel(client, tell, readiness, ask.clear);
openCalibration(client, tell);
if (!crossOriginIsolated) {
  note("This page runs without threads: its host sends no isolation headers. Everything else works.");
}
document.addEventListener("visibilitychange", () => client.send({ kind: "hidden", hidden: document.hidden }));

const pictureFile = find("picture-file", HTMLInputElement);
pictureFile.addEventListener("change", () => {
  const file = pictureFile.files?.[0];
  if (file) void picture.open(file, file.name);
  pictureFile.value = "";
});

openDrops({
  picture: (file) => void picture.open(file, file.name),
  model: (files) => void model.open(files),
  tell,
});

// Screen readers do not see into what is not laid out yet.
for (const section of document.querySelectorAll(".later")) {
  section.classList.remove("later");
  await turn();
}
await model.open(null);
void keepOffline(device.offline);
