// Files of the user: a GGUF and a safetensors model open and answer; broken and huge ones are refused in words, and what was
// open stays open. Pictures too. Nothing of them is sent anywhere.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { writeShipped } from "../formats/write-shipped.js";
import { haveChromium } from "../support/browser.js";
import { root } from "../support/root.js";
import { askDemo, showSample, statusIs, withDemo } from "./page.js";

const folder = mkdtempSync(join(tmpdir(), "nibblemark-demo-"));
const model = join(root, "models", "nibblemark-llava-2m");
const made = (name: string, bytes: string | Uint8Array) => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};

/** A PNG that says it has 40000 x 40000 pixels. */
function hugePng(): Uint8Array {
  const bytes = Uint8Array.from(readFileSync(join(model, "samples", "digits.png")));
  new DataView(bytes.buffer).setUint32(16, 40000);
  new DataView(bytes.buffer).setUint32(20, 40000);
  return bytes;
}

if (haveChromium()) {
  test("an own GGUF opens and goes on with a text; broken files leave it open", async () => {
    const gguf = await writeShipped(folder, "Q8_0");
    const whole = readFileSync(gguf);
    const broken = made("broken.gguf", whole.subarray(0, whole.length / 2));
    const nonsense = made("notes.gguf", "this is no model");
    await withDemo(async ({ page, faults }) => {
      const open = (files: string | string[]) => page.setInputFiles("#model-files", files);
      await open(gguf);
      await statusIs(page, /^Ready: /);
      assert.match((await page.textContent("#model")) ?? "", /as its file has it/);
      await page.uncheck("#with-picture");
      const text = await askDemo(page, "The whale");
      assert.ok(text.length > 20, text);
      await open(broken);
      assert.match(await statusIs(page, /broken\.gguf/), /stays open/);
      await open(nonsense);
      assert.match(await statusIs(page, /notes\.gguf/), /is in no known format.*stays open/);
      assert.is(await askDemo(page, "The whale"), text);

      await open(join(model, "model.safetensors"));
      assert.match(await statusIs(page, /model\.safetensors/), /config\.json and tokenizer\.json together/);
      const names = ["config.json", "tokenizer.json", "preprocessor_config.json", "model.safetensors"];
      await open(names.map((name) => join(model, name)));
      await statusIs(page, /^Ready: /);
      await page.check("#with-picture");
      await showSample(page, "digits.png");
      assert.is((await askDemo(page, "which digit is top left?")).trim(), "0");
      assert.equal(faults, []);
    });
  });

  test("broken and huge pictures are refused in words, and the last one stays", async () => {
    const broken = made("broken.png", readFileSync(join(model, "samples", "digits.png")).subarray(0, 60));
    const huge = made("huge.png", hugePng());
    const long = made("long.png", new Uint8Array(65 * 2 ** 20));
    await withDemo(async ({ page, faults }) => {
      await page.setInputFiles("#picture-file", join(model, "samples", "digits.png"));
      await statusIs(page, /64 x 64 pixels/);
      for (const path of [broken, huge, long]) {
        await page.setInputFiles("#picture-file", path);
        const name = path.slice(folder.length + 1);
        assert.match(await statusIs(page, new RegExp(`^${name}`)), /cannot be read|pixels, the limit|bytes, the limit/);
      }
      assert.is((await askDemo(page, "how many sixes?")).trim(), "2");
      assert.equal(faults, []);
    });
  });
}

test.after(() => rmSync(folder, { recursive: true, force: true }));

test.run();
