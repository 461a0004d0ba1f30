// 210 kills of the harness at random moments with injection on, by a frozen cgroup and by signals in turns.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { needNative } from "../support/native.js";
import { killTest } from "../watch/kill.js";

const KILLS = 210;

if (needNative()) {
  test("the program survives at least 200 kills, its output byte-identical", async () => {
    const killed = await killTest(KILLS);
    assert.is(killed, KILLS);
  });
}

test.run();
