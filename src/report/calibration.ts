// A calibration as sections of text; the table, and the page with its plots, print the same ones.

import type { Calibration } from "../core/calibration.js";
import { bytesText, digits } from "./format.js";
import { left, right, type Section } from "./section.js";

function summary({ profile, seconds }: Calibration): Section {
  const { linesInFlight: lines } = profile;
  const rows = [
    ["idle latency of local memory", `${digits(profile.idleNs)} ns`],
    ["effective last-level cache", bytesText(profile.llcBytes)],
    ["lines in flight of one core, chains / stream", `${digits(lines.stride)} / ${digits(lines.stream)}`],
    [
      "peak read / mixed / write",
      `${digits(profile.readGBps)} / ${digits(profile.mixedGBps)} / ${digits(profile.writeGBps)} GB/s`,
    ],
    [
      "latency under load",
      profile.curve.length > 0 ? `curve of ${profile.curve.length} points` : `queue of ${digits(profile.queueNs)} ns`,
    ],
    ["profile", profile.hash],
  ];
  return {
    title: `Host profile, measured in ${digits(seconds)} s`,
    columns: [left("what"), right("value")],
    rows,
    notes: [],
  };
}

function levels({ levels: list }: Calibration): Section {
  const rows = list.map(({ name, bytes, ns }) => [name, bytes > 0 ? bytesText(bytes) : "", `${digits(ns)} ns`]);
  return {
    title: "Caches as a chase sees them",
    columns: [left("level"), right("up to"), right("load")],
    rows,
    notes: [],
  };
}

function chase({ chase: points }: Calibration): Section {
  const rows = points.map(({ bytes, randomNs, nearNs }) => [bytesText(bytes), digits(nearNs), digits(randomNs)]);
  return {
    title: "Dependent loads by size of the buffer",
    columns: [left("buffer"), right("near ns"), right("random ns")],
    rows,
    notes: [
      "near: at random within 4 MiB at a time, hardly a page walk; random: over the whole buffer, page walks included.",
    ],
  };
}

function translation({ translation: points }: Calibration): Section {
  const rows = points.map(({ pages, ns }) => [String(pages), digits(ns)]);
  const notes = [
    "One line in each page less as many lines side by side; from 2048 pages on, page tables compete for the cache too.",
  ];
  return { title: "Address translation", columns: [right("4 KiB pages"), right("ns a load")], rows, notes };
}

function chains({ chains: points }: Calibration): Section {
  const rows = points.map((p) => [String(p.chains), digits(p.stepNs), digits(p.gbps), digits(p.linesInFlight)]);
  return {
    title: "Independent chains of one core",
    columns: [right("chains"), right("ns a step"), right("GB/s"), right("lines in flight")],
    rows,
    notes: ["Lines in flight = bandwidth x loaded latency / 64 (Little's law)."],
  };
}

function bandwidth({ bandwidth: points }: Calibration): Section {
  const rows = points.map((p) => [p.kind, String(p.threads), digits(p.readGBps), digits(p.writtenGBps)]);
  const notes = [
    "At the memory: a stored line is fetched first and written back; a fill fetches nothing where the machine can avoid it.",
  ];
  const columns = [left("traffic"), right("threads"), right("read GB/s"), right("written GB/s")];
  return { title: "Bandwidth", columns, rows, notes };
}

function loaded({ loaded: points }: Calibration): Section {
  const rows = points.map((p) => [p.kind, digits(p.gbps), digits(p.ns), p.kept ? "" : "dropped"]);
  const columns = [left("traffic"), right("GB/s"), right("chase ns"), left("")];
  return { title: "Latency under load", columns, rows, notes: [] };
}

function far({ far: { memoryBound, cacheGBps, points } }: Calibration): Section {
  const rows = points.map(({ adderNs, lowGBps, highGBps }) => [
    `+${adderNs} ns`,
    memoryBound ? digits(lowGBps) : `${digits(lowGBps)} to ${digits(highGBps)}`,
  ]);
  const why = memoryBound
    ? `Local reads waited for memory (the same reads from cache: ${digits(cacheGBps)} GB/s), so lines in flight hold further away.`
    : `Local reads were bound by the core (from cache: ${digits(cacheGBps)} GB/s), so lines in flight are a lower bound and far bandwidth an interval.`;
  return { title: "One core's reads from further away", columns: [left("latency"), right("GB/s")], rows, notes: [why] };
}

/** All sections in the order of a reader's interest; `detail` false leaves the long tables to the page. */
export function calibrationSections(calibration: Calibration, detail: boolean): Section[] {
  const short = [summary(calibration), levels(calibration), far(calibration)];
  const long = [chase, translation, chains, bandwidth, loaded].map((section) => section(calibration));
  const notes: Section = { title: "Notes", columns: [], rows: [], notes: calibration.notes };
  return [...short, ...(detail ? long : []), ...(calibration.notes.length > 0 ? [notes] : [])].filter(
    ({ rows, notes: sentences }) => rows.length + sentences.length > 0,
  );
}
