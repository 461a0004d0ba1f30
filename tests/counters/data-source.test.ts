// Data-source words of samples are told apart as linux/perf_event.h lays them out: the words are put together from the installed header.

import { existsSync, readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { missedLastLevel } from "../../src/counters/perf/data-source.js";
import { need } from "../support/need.js";

const HEADER = "/usr/include/linux/perf_event.h";

if (need(existsSync(HEADER), "linux/perf_event.h", "apt-get install linux-libc-dev")) {
  const header = readFileSync(HEADER, "utf8");
  const constant = (name: string) => {
    const value = new RegExp(`#define PERF_MEM_${name}\\s+(\\w+)`).exec(header)?.[1];
    if (value === undefined) throw new Error(`the header has no PERF_MEM_${name}`);
    return BigInt(value);
  };
  /** `OP_LOAD LVL_HIT` and so on, as the header's PERF_MEM_S puts them into a word. */
  const word = (fields: string) =>
    fields
      .split(" ")
      .map((field) => constant(field) << constant(`${field.split("_")[0]}_SHIFT`))
      .reduce((all, one) => all | one, 0n);

  test("memory beyond the last level counts, for loads and stores", () => {
    const beyond = [
      "OP_LOAD LVL_LOC_RAM LVL_HIT",
      "OP_LOAD LVL_REM_RAM1 LVL_HIT",
      "OP_LOAD LVL_REM_RAM2 LVL_HIT",
      "OP_LOAD LVL_LOC_RAM LVL_HIT LVLNUM_RAM TLB_L1 TLB_HIT SNOOP_NA LOCK_NA",
      "OP_LOAD LVL_REM_RAM1 LVL_HIT LVLNUM_RAM REMOTE_REMOTE HOPS_1",
      "OP_LOAD LVLNUM_RAM",
      "OP_LOAD LVLNUM_CXL",
      "OP_LOAD LVLNUM_CXL REMOTE_REMOTE HOPS_1",
      "OP_LOAD LVLNUM_PMEM",
      "OP_LOAD LVL_L3 LVL_MISS",
      "OP_STORE LVL_LOC_RAM LVL_HIT",
    ];
    for (const fields of beyond) assert.ok(missedLastLevel(word(fields)), fields);
  });

  test("caches, own and others', buffers, devices, what is unknown, and what is no load or store do not", () => {
    const within = [
      "OP_LOAD LVL_L1 LVL_HIT",
      "OP_LOAD LVL_L2 LVL_HIT LVLNUM_L2",
      "OP_LOAD LVL_L2 LVL_MISS",
      "OP_LOAD LVL_L3 LVL_HIT LVLNUM_L3",
      "OP_LOAD LVL_L3 LVL_REM_CCE1 LVL_HIT",
      "OP_LOAD LVL_REM_CCE2 LVL_HIT LVLNUM_ANY_CACHE REMOTE_REMOTE HOPS_1",
      "OP_STORE LVL_LFB LVL_HIT LVLNUM_LFB",
      "OP_LOAD LVL_UNC LVL_HIT",
      "OP_LOAD LVL_IO LVLNUM_IO",
      "OP_STORE LVL_NA LVLNUM_NA",
      "OP_NA LVL_NA SNOOP_NA LOCK_NA TLB_NA",
      "OP_PFETCH LVL_LOC_RAM LVL_HIT",
      "OP_EXEC LVLNUM_RAM",
    ];
    for (const fields of within) assert.not(missedLastLevel(word(fields)), fields);
  });
}

test.run();
