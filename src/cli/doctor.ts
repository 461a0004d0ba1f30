// `nibblemark doctor`: what can run here, what cannot and why, and what this machine's memory gives.

import { InputError } from "../core/errors.js";
import { targetName } from "../core/target.js";
import { nodePlatform } from "../platform/node.js";
import { bytesText, digits, figureText } from "../report/format.js";
import { left, right, type Section } from "../report/section.js";
import { sectionLines } from "../report/table.js";
import type { Command } from "./command.js";
import { converse } from "./conversation.js";
import type { Parsed } from "./flags.js";
import { counterSections, countersReport } from "./parts/counters-report.js";
import type { DoctorReport } from "./protocol.js";
import { painter, progressBar } from "./terminal.js";

function targetSection({ targets }: DoctorReport): Section {
  const rows = targets.map((status) =>
    status.available
      ? [targetName(status.target), "yes", status.detail]
      : [targetName(status.target), "no", `${status.reason}. ${status.remedy}`],
  );
  return { title: "Targets", columns: [left("target"), left("runs"), left("why")], rows, notes: [] };
}

function machineSection({ environment: env }: DoctorReport): Section {
  const rows = [
    ["program", `nibblemark ${env.version}${env.commit ? ` (${env.commit})` : ""}`],
    ["runtime", env.runtime],
    ["system", env.os],
    ["CPU", `${env.cpu}, ${env.cores} cores`],
    ["vector flags", env.cpuFlags.join(" ")],
    ["memory", env.memoryBytes ? bytesText(env.memoryBytes) : "not told"],
    ["load", env.load.map(digits).join(" ")],
  ];
  return { title: "This machine", columns: [left("what"), left("value")], rows, notes: [] };
}

function memorySection({ host, bandwidth }: DoctorReport): Section {
  const rows = [
    ["latency of local memory, idle", `${digits(host.idleNs)} ns`],
    ["effective last-level cache", bytesText(host.llcBytes)],
    ["peak read", `${digits(host.readGBps)} GB/s`],
    ["lines in flight, stride / stream", `${digits(host.linesInFlight.stride)} / ${digits(host.linesInFlight.stream)}`],
    ...bandwidth.map(({ streams, threads, gbps }) => [
      `plain WASM read, ${threads} ${threads === 1 ? "thread" : "threads"}, ${streams} streams`,
      figureText(gbps),
    ]),
    ...Object.entries(host.computeRates).map(([family, rate]) => [
      `kernels ${family}, one core`,
      `${digits(rate / 1e9)} GMAC/s`,
    ]),
  ];
  const notes = ["Measured in about two seconds; other programs make it look slower than it is."];
  return { title: "Memory and cores", columns: [left("what"), right("value")], rows, notes };
}

function gpuSections({ gpu }: DoctorReport): Section[] {
  if (!gpu) return [];
  const { host, adapter, dispatchNs } = gpu;
  const rows = [
    ["latency of its memory, idle", `${digits(host.idleNs)} ns`],
    ["effective last cache", bytesText(host.llcBytes)],
    ["plain read", `${digits(host.readGBps)} GB/s`],
    ["a dependent dispatch", `${digits(dispatchNs)} ns`],
    ...Object.entries(host.computeRates).map(([family, rate]) => [`kernels ${family}`, `${digits(rate / 1e9)} GMAC/s`]),
  ];
  return [{ title: `GPU: ${adapter}`, columns: [left("what"), right("value")], rows, notes: [] }];
}

async function run(parsed: Parsed): Promise<number> {
  const format = parsed.text("output") ?? "table";
  if (format !== "table" && format !== "json") {
    throw new InputError("nibblemark doctor", "--output", `"${format}" is unknown`, "Known: table, json");
  }
  const event = await converse({ kind: "doctor" }, progressBar(parsed.on("quiet")));
  if (event.kind !== "doctor") throw new Error(`unexpected answer ${event.kind}`);
  const { report } = event;
  const counters = await countersReport(nodePlatform(), report.host.llcBytes);
  if (format === "json") process.stdout.write(`${JSON.stringify({ ...report, counters }, null, 2)}\n`);
  else {
    const paint = painter(parsed);
    const machine = [targetSection(report), machineSection(report), memorySection(report)];
    const list = [...machine, ...gpuSections(report), ...counterSections(counters)];
    process.stdout.write(`${list.flatMap((section) => sectionLines(section, paint)).join("\n")}`);
  }
  return report.targets.some(({ available }) => available) ? 0 : 3;
}

export const doctorCommand: Command = {
  name: "doctor",
  summary: "Lists every target with the reason why one cannot run, and what this machine's memory gives.",
  usage: "[flags]",
  examples: ["doctor", "doctor -o json"],
  flags: [{ name: "output", short: "o", value: "FORMAT", help: "table or json" }],
  positionals: 0,
  run,
};
