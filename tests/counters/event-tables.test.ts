// Every shipped event table is sound, the right one is found for a processor, and its best set is one the delay models know.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseEventTable, parseProcessor, tableOf } from "../../src/counters/perf/tables.js";
import { EVENT_TABLES, eventTables } from "../support/event-tables.js";
import { refuses } from "../support/refuses.js";

const tables = eventTables();
const nameFor = (cpuinfo: string) => tableOf(tables, parseProcessor(cpuinfo))?.name;
const intel = (model: number, stepping = 6) =>
  nameFor(
    `vendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: ${model}\nmodel name\t: X\nstepping\t: ${stepping}\n`,
  );
const amd = (family: number, model: number) =>
  nameFor(`vendor_id\t: AuthenticAMD\ncpu family\t: ${family}\nmodel\t\t: ${model}\nstepping\t: 1\n`);
const arm = (part: string) => nameFor(`CPU implementer\t: 0x41\nCPU architecture: 8\nCPU part\t: ${part}\n`);

test("processors find their tables, unknown ones the generic", () => {
  assert.match(intel(0x6a) ?? "", /Ice Lake/);
  assert.match(intel(0x8f) ?? "", /Sapphire/);
  assert.match(intel(0xcf) ?? "", /Emerald/);
  assert.match(intel(0xad) ?? "", /Granite/);
  assert.match(intel(0x55, 4) ?? "", /Skylake/);
  assert.match(intel(0x55, 7) ?? "", /Cascade/);
  assert.match(amd(0x19, 0x01) ?? "", /Zen 3/);
  assert.match(amd(0x19, 0x11) ?? "", /Zen 4/);
  assert.match(amd(0x1a, 0x02) ?? "", /Zen 5/);
  assert.match(arm("0xd0c") ?? "", /N1/);
  assert.match(arm("0xd40") ?? "", /V1/);
  assert.match(arm("0xd4f") ?? "", /V2/);
  assert.is(arm("0xd07"), "generic");
  assert.is(nameFor(""), "generic");
});

test("codes that a typing error would spoil, by hand", () => {
  // event | umask << 8 | cmask << 24 of Intel's manuals.
  const spr = tables.find(({ name }) => name.includes("Sapphire"));
  assert.is(spr?.events.stallsL3Miss?.config, "0x9000947");
  assert.is(spr?.events.llcMisses?.config, "0x20d1");
  // The kernel's example of drivers/perf/cxl_pmu: vid 0x1e98, gid 0x20, bit 1.
  assert.is(spr?.uncore.cxlReadRequests?.config, "0x1e98002000000002");
  assert.is(tables.find(({ name }) => name.includes("Zen 4"))?.events.alternateMemory?.config, "0x8043");
});

test("each table has a set with cycles and misses, and says who checked each code", () => {
  for (const { name, sets, events } of tables) {
    assert.ok(sets.length > 0, name);
    for (const { events: names } of sets) assert.ok(names.includes("cycles"), name);
    assert.ok("llcMisses" in events, name);
  }
});

test("broken tables are refused with their field", async () => {
  const good = readFileSync(join(EVENT_TABLES, "generic.json"), "utf8");
  await refuses(() => parseEventTable("t.json", "{"), /t\.json.*JSON/);
  await refuses(() => parseEventTable("t.json", good.replace('"0x10002"', '"12"')), /t\.json.*config/);
  const zen3 = readFileSync(join(EVENT_TABLES, "amd-zen3.json"), "utf8");
  await refuses(
    () => parseEventTable("t.json", zen3.replace('"period": 500000', '"period": 500001')),
    /opSample.*period/,
  );
  await refuses(() => parseEventTable("t.json", good.replace('"llcReads"\n', '"nothing"\n')), /nothing|sets/);
});

test.run();
