// The codes of profiles/events against the kernel's own event lists (tools/perf/pmu-events in Debian's linux-source-6.1). What that
// kernel does not list yet (Granite Rapids, Zen 4 and 5, CXL) stays unchecked here, and the tables say so of what nobody checked.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type EventTable, parseEventTable } from "../../src/counters/perf/tables.js";
import { ensureDebian } from "../support/debian.js";
import { need } from "../support/need.js";
import { root } from "../support/root.js";

const ARCHIVE = "/usr/src/linux-source-6.1.tar.xz";
const FOLDER = join(root, ".cache", "pmu-events-6.1");
const LISTS: Readonly<Record<string, string>> = {
  "intel-skx": "x86/skylakex",
  "intel-clx": "x86/cascadelakex",
  "intel-icx": "x86/icelakex",
  "intel-spr": "x86/sapphirerapids",
  "amd-zen3": "x86/amdzen3",
  "arm-neoverse-n1": "arm64/arm/cortex-a76-n1",
  "arm-neoverse-v1": "arm64/arm/neoverse-v1",
  "arm-neoverse-n2": "arm64/arm/neoverse-n2",
};

interface KernelEvent {
  readonly EventName?: string;
  readonly ArchStdEvent?: string;
  readonly EventCode?: string;
  readonly UMask?: string;
  readonly CounterMask?: string;
  readonly MSRValue?: string;
  readonly Unit?: string;
}

function unpack(): boolean {
  if (existsSync(join(FOLDER, "x86"))) return true;
  mkdirSync(FOLDER, { recursive: true });
  const wanted = ["x86", "arm64"].map((arch) => `linux-source-6.1/tools/perf/pmu-events/arch/${arch}`);
  return spawnSync("tar", ["-xf", ARCHIVE, "-C", FOLDER, "--strip-components=5", ...wanted]).status === 0;
}

const eventsIn = (folder: string): KernelEvent[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .flatMap((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as KernelEvent[]);

/** The kernel's list as name -> config, config1; Arm's lists name events of one common list. */
function listed(list: string): Map<string, { config: bigint; config1: bigint }> {
  const folder = join(FOLDER, list);
  const common = list.startsWith("arm64")
    ? (JSON.parse(readFileSync(join(FOLDER, "arm64", "common-and-microarch.json"), "utf8")) as KernelEvent[])
    : [];
  const amd = list.includes("amd");
  const number = (text: string | undefined) => BigInt(text ? (text.split(",")[0] as string) : 0);
  const map = new Map<string, { config: bigint; config1: bigint }>();
  for (const entry of eventsIn(folder)) {
    const standard = common.find(({ EventName }) => EventName === entry.ArchStdEvent);
    const one = entry.ArchStdEvent ? standard : entry;
    if (!one?.EventName || one.EventCode === undefined) continue;
    const code = number(one.EventCode);
    const event = amd ? (code & 0xffn) | ((code >> 8n) << 32n) : code;
    const config = event | (number(one.UMask) << 8n) | (number(one.CounterMask) << 24n);
    map.set(one.EventName.toLowerCase(), { config, config1: number(one.MSRValue) });
  }
  return map;
}

function wrongCodes(table: EventTable, list: string): { checked: number; wrong: string[] } {
  const kernel = listed(list);
  let checked = 0;
  const wrong = Object.values(table.events).flatMap(({ name, kind, config, config1, checked: how }) => {
    if (kind !== "raw" || how !== "kernel-json") return [];
    const known = kernel.get(name.toLowerCase());
    if (!known) return [`${name} is not listed`];
    checked++;
    const same = known.config === BigInt(config) && known.config1 === BigInt(config1);
    return same ? [] : [`${name}: ${config}/${config1}, the kernel has 0x${known.config.toString(16)}`];
  });
  return { checked, wrong };
}

if (
  ensureDebian(["linux-source-6.1"]) &&
  need(existsSync(ARCHIVE) && unpack(), "the kernel's source archive", "apt-get install linux-source-6.1")
) {
  for (const [name, list] of Object.entries(LISTS)) {
    test(`${name} has the kernel's codes`, () => {
      const text = readFileSync(join(root, "profiles", "events", `${name}.json`), "utf8");
      const { checked, wrong } = wrongCodes(parseEventTable(name, text), list);
      assert.equal(wrong, []);
      assert.ok(checked >= 3, `${checked} codes compared`);
    });
  }
}

test.run();
