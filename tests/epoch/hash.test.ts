// The digest of host profiles is FNV-1a of 64 bits: its published vectors, and every field counts.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { hashText, sealProfile } from "../../src/core/host.js";
import { host } from "./fixture.js";

test("published vectors of FNV-1a", () => {
  assert.is(hashText(""), "cbf29ce484222325");
  assert.is(hashText("a"), "af63dc4c8601ec8c");
  assert.is(hashText("foobar"), "85944171f73967e8");
});

test("each field changes the hash", () => {
  const base = host();
  const changed = [
    { name: "other" },
    { idleNs: 101 },
    { readGBps: 51 },
    { mixedGBps: 51 },
    { writeGBps: 51 },
    { queueNs: 1 },
    { llcBytes: 1 },
    { curve: [{ bandwidthGBps: 1, addedNs: 2 }] },
    { linesInFlight: { ...base.linesInFlight, stream: 21 } },
    { computeRates: { ...base.computeRates, f32: 1 } },
    { source: "measured" as const },
  ].map((fields) => sealProfile({ ...base, ...fields }).hash);
  assert.is(new Set([base.hash, ...changed]).size, changed.length + 1);
});

test.run();
