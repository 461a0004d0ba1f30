// The panel of presets and sliders, the address that holds them, and the speeds that follow.

import type { Estimate, Speeds } from "../protocol.js";
import { CLOCKS, DEFAULT_SETTINGS, HOMES, LIMITS, parseSettings, type Settings, settingsText } from "../settings.js";
import type { Client } from "./client.js";
import { button, digits, element, fillSelect, find, megabytes, text } from "./dom.js";

const TOPOLOGIES: Readonly<Record<Settings["topology"], readonly [name: string, about: string]>> = {
  local: ["all local", "Everything in the machine's own memory."],
  "cxl-1hop": ["one CXL expander", "One A1000 expander on this socket."],
  "cxl-switch": ["two behind a CXL switch", "Two A1000 expanders that share the uplink of one switch."],
  "cxl-remote": ["an expander on the other socket", "An A1000 expander behind the link between two sockets."],
};
const HOME_NAMES: Readonly<Record<(typeof HOMES)[number], string>> = { near: "near", far: "far", half: "half each" };
/** Below this many bytes a token nothing far away is felt. */
const FITS_BYTES = 4096;
const LONGEST_ECHO = 40;
const MOST_ECHOES = 6;

export interface MemoryPanel {
  readonly settings: Settings;
}

/** Reads the address, fills the form, and tells the worker of every change. */
export function openMemoryPanel(client: Client, tell: (message: string) => void): MemoryPanel {
  const form = find("memory", HTMLFormElement);
  const fromAddress = (): Settings => {
    const { settings: told, faults } = parseSettings(location.hash);
    if (faults.length > 0) tell(`The address says ${echo(faults)}, which is unknown; the defaults hold instead.`);
    return told;
  };
  let settings = fromAddress();
  fillForm(form);
  write(form, settings);

  function change(next: Settings): void {
    settings = next;
    const hash = settingsText(settings);
    history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
    write(form, settings);
    client.send({ kind: "settings", settings });
  }

  form.addEventListener("input", (event) => change(read(form, settings, (event.target as HTMLInputElement).name)));
  button("preset").addEventListener("click", () => change({ ...settings, latencyNs: null, bandwidthGBps: null }));
  addEventListener("hashchange", () => change(fromAddress()));
  form.addEventListener("submit", (event) => event.preventDefault());
  client.on("estimate", ({ estimate }) => {
    showSpeeds(estimate);
    // Figures of earlier settings would move a slider back under the hand that moves it.
    if (estimate.scenario !== settingsText(settings)) return;
    showFigures(form, settings, estimate);
    showFit(settings, estimate);
  });
  return {
    get settings() {
      return settings;
    },
  };
}

/** What an address says wrongly, cut where it is long. */
function echo(faults: readonly string[]): string {
  const cut = faults.map((text) => (text.length > LONGEST_ECHO ? `${text.slice(0, LONGEST_ECHO)}...` : text));
  const more = cut.length > MOST_ECHOES ? ` and ${cut.length - MOST_ECHOES} more` : "";
  return `${cut.slice(0, MOST_ECHOES).join(", ")}${more}`;
}

const field = (form: HTMLFormElement, name: string) => form.elements.namedItem(name) as HTMLInputElement;

function fillForm(form: HTMLFormElement): void {
  const select = (name: string) => form.elements.namedItem(name) as HTMLSelectElement;
  fillSelect(
    select("topology"),
    Object.entries(TOPOLOGIES).map(([name, [label]]) => [name, label]),
  );
  for (const name of ["weights", "kv", "vision"]) {
    fillSelect(
      select(name),
      HOMES.map((home) => [home, HOME_NAMES[home]]),
    );
  }
  for (const name of ["latencyNs", "bandwidthGBps"] as const) {
    [field(form, name).min, field(form, name).max] = LIMITS[name].map(String) as [string, string];
  }
}

/** Settings of the form; sliders count only once they were moved, so that a preset keeps its own figures. */
function read(form: HTMLFormElement, before: Settings, moved: string): Settings {
  const value = (name: string) => (form.elements.namedItem(name) as HTMLSelectElement | RadioNodeList).value;
  const slider = (name: "latencyNs" | "bandwidthGBps") => (moved === name ? Number(value(name)) : before[name]);
  const cache = value("cache");
  return {
    topology: value("topology") as Settings["topology"],
    latencyNs: moved === "topology" ? null : slider("latencyNs"),
    bandwidthGBps: moved === "topology" ? null : slider("bandwidthGBps"),
    weights: value("weights") as Settings["weights"],
    kv: value("kv") as Settings["kv"],
    vision: value("vision") as Settings["vision"],
    cache: cache === "mb" ? Number(value("cacheMb")) : cache === "none" ? "none" : "host",
    clock: CLOCKS.find((clock) => clock === value("clock")) ?? DEFAULT_SETTINGS.clock,
  };
}

function write(form: HTMLFormElement, settings: Settings): void {
  for (const name of ["topology", "weights", "kv", "vision", "clock"] as const) {
    (form.elements.namedItem(name) as HTMLSelectElement | RadioNodeList).value = settings[name];
  }
  const { cache } = settings;
  field(form, "cache").value = typeof cache === "number" ? "mb" : cache;
  if (typeof cache === "number") {
    field(form, "cacheMb").max = String(Math.max(64, cache));
    field(form, "cacheMb").value = String(cache);
    text("cache-value", `${cache} MB`);
    field(form, "cacheMb").ariaValueText = `${cache} MB`;
  }
  for (const name of ["latencyNs", "bandwidthGBps"] as const) {
    const value = settings[name];
    if (value !== null && settings.topology !== "local") showSlider(form, name, value, true);
  }
  find("cache-row", HTMLElement).hidden = typeof cache !== "number";
  text("topology-about", TOPOLOGIES[settings.topology][1]);
}

function showFigures(form: HTMLFormElement, settings: Settings, { latencyNs, bandwidthGBps }: Estimate): void {
  const isLocal = latencyNs === null || bandwidthGBps === null;
  for (const name of ["latencyNs", "bandwidthGBps", "weights", "kv", "vision"]) field(form, name).disabled = isLocal;
  if (isLocal) {
    text("latency-value", "");
    text("bandwidth-value", "");
    return;
  }
  showSlider(form, "latencyNs", latencyNs, settings.latencyNs !== null);
  showSlider(form, "bandwidthGBps", bandwidthGBps, settings.bandwidthGBps !== null);
}

function showSlider(form: HTMLFormElement, name: "latencyNs" | "bandwidthGBps", value: number, moved: boolean): void {
  const slider = field(form, name);
  slider.value = String(value);
  const isLatency = name === "latencyNs";
  const shown = isLatency ? `+${digits(value)} ns` : `${digits(value)} GB/s`;
  text(isLatency ? "latency-value" : "bandwidth-value", `${shown}${moved ? ", moved" : ""}`);
  slider.ariaValueText = isLatency ? `${digits(value)} ns more than local memory` : shown;
}

function showSpeeds({ modelled, predicted, shape, host, rules, scenario }: Estimate): void {
  const row = (name: string, key: string, speeds: Speeds | null, none = "ask first") => {
    const head = element("th", name);
    head.scope = "row";
    const figures = speeds
      ? [
          digits(speeds.localTokensPerSecond),
          digits(speeds.placedTokensPerSecond),
          `${(speeds.localTokensPerSecond / speeds.placedTokensPerSecond).toFixed(2)}x`,
        ]
      : [none, "", ""];
    const cells = figures.map((figure) => element("td", figure));
    // All digits for those who check.
    if (speeds) {
      cells[0].dataset.value = String(speeds.localTokensPerSecond);
      cells[1].dataset.value = String(speeds.placedTokensPerSecond);
    }
    const made = element("tr", [head, ...cells]);
    made.dataset.row = key;
    return made;
  };
  const table = find("speeds", HTMLTableElement);
  // The sliders may be ahead of the figures.
  table.dataset.scenario = scenario;
  const body = table.tBodies[0];
  body.replaceChildren(
    row("this answer, predicted", "predicted", predicted),
    row("this model, modelled", "modelled", modelled),
    "problem" in shape
      ? row("LLaVA-1.5-7B in int4, modelled", "shape", null, shape.problem)
      : row("LLaVA-1.5-7B in int4, modelled", "shape", shape),
  );
  const where = rules.length > 0 ? `Placement: ${rules.join(", ")}. ` : "";
  text("speeds-about", `${where}Predicted with the host profile ${host}; modelled with the shipped one.`);
}

function showFit(settings: Settings, { missBytesPerToken, cacheBytes }: Estimate): void {
  const note = find("fits", HTMLElement);
  const fits = missBytesPerToken < FITS_BYTES;
  note.hidden = false;
  note.dataset.fits = String(fits);
  const { cache } = settings;
  const told = { host: "", none: ", as if there were no cache" };
  const asIf = typeof cache === "number" ? `, as if the cache were ${megabytes(cacheBytes)}` : told[cache];
  note.textContent = fits
    ? `This model stays in the cache (${megabytes(cacheBytes)}), where far memory costs nothing. Choose a smaller cache above, or look at LLaVA-1.5-7B, which no cache holds.`
    : `${megabytes(missBytesPerToken)} a token come from memory${asIf}.`;
}
