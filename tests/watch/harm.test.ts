// It never harms what it watches: 20 kills at random moments with injection on (tests/long has 210).

import { test } from "uvu";
import * as assert from "uvu/assert";
import { needNative } from "../support/native.js";
import { killTest } from "./kill.js";

const KILLS = 20;

if (needNative()) {
  test("the program runs on with every byte of its output when the harness is killed", async () => {
    const killed = await killTest(KILLS);
    assert.is(killed, KILLS, "so many were alive to be killed");
  });
}

test.run();
