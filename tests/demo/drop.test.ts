// Pictures and models that are dropped anywhere on the page open as chosen ones do, and nothing of them is sent anywhere: while
// they are in use the page asks for nothing at all.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { writeShipped } from "../formats/write-shipped.js";
import { haveChromium } from "../support/browser.js";
import { root } from "../support/root.js";
import { askDemo, dropFiles, statusIs, withDemo } from "./page.js";

const folder = mkdtempSync(join(tmpdir(), "nibblemark-drop-"));
const model = join(root, "models", "nibblemark-llava-2m");

if (haveChromium()) {
  test("a dropped picture is looked at, a dropped GGUF and a dropped folder's files open; nothing leaves the page", async () => {
    const gguf = await writeShipped(folder, "Q8_0");
    const poem = join(folder, "poem.txt");
    writeFileSync(poem, "Call me Ishmael.");
    await withDemo(async ({ page, faults }) => {
      await page.locator("#device dd", { hasText: "kept for the next visit" }).waitFor();
      const asked: string[] = [];
      page.on("request", (request) => void asked.push(`${request.method()} ${request.url()}`));
      await dropFiles(page, [join(model, "samples", "digits.png")]);
      assert.match(await statusIs(page, /digits\.png/), /64 x 64 pixels. It stays in this page/);
      assert.is(await page.getAttribute("#canvas", "aria-label"), "The picture: digits.png");
      assert.is((await askDemo(page, "how many sixes?")).trim(), "2");

      await dropFiles(page, [gguf]);
      await statusIs(page, /^Ready: /);
      assert.match((await page.textContent("#model")) ?? "", /as its file has it/);
      await page.uncheck("#with-picture");
      assert.ok((await askDemo(page, "The whale")).length > 20);

      await dropFiles(page, [poem]);
      assert.match(await statusIs(page, /poem\.txt/), /is in no known format.*stays open/);

      await dropFiles(page, [model]);
      await statusIs(page, /^Ready: nibblemark-llava-2m on /);
      mkdirSync(join(folder, "nothing"));
      await dropFiles(page, [join(folder, "nothing")]);
      await statusIs(page, /^The folder nothing has no files in it/);

      const names = ["config.json", "tokenizer.json", "preprocessor_config.json", "model.safetensors"];
      await dropFiles(
        page,
        names.map((name) => join(model, name)),
      );
      await statusIs(page, /^Ready: /);
      await page.check("#with-picture");
      assert.is((await askDemo(page, "how many sixes?")).trim(), "2");
      // Builds of the kernels and the sample's reader were there before: not one request, so nothing was sent.
      assert.equal(
        asked.filter((line) => !/^GET .*\/(build|assets)\//.test(line)),
        [],
      );
      assert.equal(faults, []);
    });
  });
}

test.after(() => rmSync(folder, { recursive: true, force: true }));

test.run();
