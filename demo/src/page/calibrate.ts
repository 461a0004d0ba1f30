// Calibration of the host in the page, kept for the next visit where the browser lets pages keep things.

import type { Client } from "./client.js";
import { appendTables, button, find } from "./dom.js";

const KEY = "nibblemark-calibration";

/** What was kept; null: nothing, or storage is blocked. */
function kept(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function keep(json: string): boolean {
  try {
    localStorage.setItem(KEY, json);
    return true;
  } catch {
    return false;
  }
}

export function openCalibration(client: Client, tell: (message: string) => void): void {
  const start = button("calibrate");
  const stored = kept();
  if (stored !== null) client.send({ kind: "profile", text: stored });
  client.on("progress", ({ stage, done, total }) => {
    if (client.running() === "calibrate") tell(`Calibrating: ${stage} (${done} of ${total})`);
  });
  start.addEventListener("click", async () => {
    start.disabled = true;
    const onTurn = (waitsUntil: string | null) =>
      tell(waitsUntil === null ? "Calibrating; keep this tab in front." : `The calibration waits until ${waitsUntil}.`);
    const answer = await client.work({ kind: "calibrate" }, { onTurn });
    start.disabled = false;
    if (answer.kind === "failed") return tell(answer.message);
    if (answer.kind !== "calibrated") return;
    find("calibration", HTMLElement).replaceChildren();
    await appendTables(find("calibration", HTMLElement), answer.sections);
    const forgets = "This browser blocks storage for this page, so the profile is gone when you leave.";
    tell(`Calibrated. Predictions now use this machine's profile. ${keep(answer.json) ? "" : forgets}`.trim());
  });
}
