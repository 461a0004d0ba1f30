// Chromium is found by name or by CHROME_PATH; where there is none, the error says how to get one. A browser that dies is told of.

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type CoordinatorEvent, type FinalEvent, isFinal } from "../../src/cli/protocol.js";
import { UnavailableError } from "../../src/core/errors.js";
import { findChromium, startChromium } from "../../src/hosts/chromium.js";
import { startPageCoordinator } from "../../src/hosts/page.js";

const folder = mkdtempSync(join(tmpdir(), "nibblemark-find-"));
const program = join(folder, "google-chrome");
writeFileSync(program, "#!/bin/sh\necho no display here >&2\nexit 3\n");
chmodSync(program, 0o755);

function refusal(env: NodeJS.ProcessEnv): UnavailableError {
  try {
    findChromium(env, []);
  } catch (error) {
    assert.instance(error, UnavailableError);
    return error as UnavailableError;
  }
  throw new Error("a browser was found");
}

test("found in PATH or by CHROME_PATH", () => {
  assert.is(findChromium({ PATH: `/nowhere:${folder}` }, []), program);
  assert.is(findChromium({ PATH: "/nowhere", CHROME_PATH: program }, []), program);
  assert.is(findChromium({ PATH: "/nowhere" }, ["/absent", program]), program);
});

test("none: how to get one", () => {
  assert.match(
    refusal({ PATH: "/nowhere" }).message,
    /no chromium.*is installed.*apt-get install chromium.*CHROME_PATH/,
  );
  assert.match(refusal({ CHROME_PATH: join(folder, "absent") }).message, /CHROME_PATH names .*absent/);
});

test("a browser that ends at once rejects with its last words", async () => {
  const { done } = startPageCoordinator<never, CoordinatorEvent, FinalEvent>(
    { folders: {}, open: (url) => startChromium(program, url), onAddress: () => {} },
    { kind: "doctor" },
    () => {},
    isFinal,
  );
  const message = await done.then(
    () => "answered",
    (error: Error) => error.message,
  );
  assert.match(message, /browser ended and gave no result: no display here/);
});

test.after(() => rmSync(folder, { recursive: true, force: true }));

test.run();
