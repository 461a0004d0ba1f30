// Files of the user: a GGUF and a safetensors model open and answer; broken and huge ones are refused in words, and what was
// open stays open. Pictures too. Nothing of them is sent anywhere.

import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PNG } from "pngjs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { pictureSize } from "../../demo/src/worker/picture-size.js";
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

/** A black picture that really has this size. */
const sizedPng = (width: number, height: number) => PNG.sync.write(new PNG({ width, height }), { deflateLevel: 9 });

/** Of these a browser's encoder makes PNG, JPEG, and all three kinds of WebP. */
const ENCODINGS = [
  ["image/png", 1, true],
  ["image/jpeg", 0.5, false],
  ["image/webp", 0.5, false],
  ["image/webp", 1, false],
  ["image/webp", 0.5, true],
] as const;

/** A picture of 321 x 57 pixels, in the page. */
async function encode({ type, quality, alpha }: { type: string; quality: number; alpha: boolean }): Promise<number[]> {
  const canvas = new OffscreenCanvas(321, 57);
  const context = canvas.getContext("2d", { alpha });
  if (!context) throw new Error("no canvas");
  context.fillStyle = "#08f8";
  context.fillRect(5, 5, 100, 30);
  const blob = await canvas.convertToBlob({ type, quality });
  return [...new Uint8Array(await blob.arrayBuffer())];
}

/** A LLaMA of 7 billion weights: 13 GB of holes on the disk behind a header of the right shapes. */
function hugeModel(): string[] {
  const [hidden, inner, layers, vocab] = [4096, 11008, 32, 32000];
  const shapes: Record<string, number[]> = {
    ...{
      "model.embed_tokens.weight": [vocab, hidden],
      "model.norm.weight": [hidden],
      "lm_head.weight": [vocab, hidden],
    },
  };
  for (let layer = 0; layer < layers; layer++) {
    const at = `model.layers.${layer}`;
    for (const name of ["q", "k", "v", "o"]) shapes[`${at}.self_attn.${name}_proj.weight`] = [hidden, hidden];
    for (const name of ["gate", "up"]) shapes[`${at}.mlp.${name}_proj.weight`] = [inner, hidden];
    shapes[`${at}.mlp.down_proj.weight`] = [hidden, inner];
    for (const name of ["input", "post_attention"]) shapes[`${at}.${name}_layernorm.weight`] = [hidden];
  }
  let end = 0;
  const header = Object.entries(shapes).map(([name, shape]) => {
    const start = end;
    end += 2 * shape.reduce((product, size) => product * size, 1);
    return [name, { dtype: "F16", shape, data_offsets: [start, end] }] as const;
  });
  const text = Buffer.from(JSON.stringify(Object.fromEntries(header)));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  const weights = made("model.safetensors", Buffer.concat([size, text]));
  truncateSync(weights, 8 + text.length + end);
  const sizes = { hidden_size: hidden, intermediate_size: inner, num_hidden_layers: layers, vocab_size: vocab };
  const heads = { num_attention_heads: 32, num_key_value_heads: 32, rms_norm_eps: 1e-5, rope_theta: 10000 };
  const config = { architectures: ["LlamaForCausalLM"], model_type: "llama", max_position_embeddings: 4096 };
  return [weights, made("config.json", JSON.stringify({ ...config, ...sizes, ...heads, hidden_act: "silu" }))];
}

if (haveChromium()) {
  test("a model that no page can hold is refused before it is read, and the open one stays", async () => {
    const files = hugeModel();
    await withDemo(async ({ page, faults }) => {
      await page.setInputFiles("#model-files", files);
      assert.match(await statusIs(page, /memory/), /needs \d\.\d+ GiB, one WebAssembly memory holds 4 GiB.*stays open/);
      await showSample(page, "digits.png");
      assert.is((await askDemo(page, "how many sixes?")).trim(), "2");
      assert.equal(faults, []);
    });
  });

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
      await page.locator("#pool-chart canvas").waitFor();

      await open(join(model, "model.safetensors"));
      assert.match(await statusIs(page, /model\.safetensors/), /config\.json and tokenizer\.json together/);
      const files = ["config.json", "model.safetensors"].map((name) => join(model, name));
      await open(files);
      const blind = await statusIs(page, /^Ready: the opened files on /);
      assert.match(blind, /Warning: The folder has no preprocessor_config\.json: .*may not be this model's\.$/);
      assert.match((await page.textContent("#model")) ?? "", /warning.*no preprocessor_config\.json/);
      await page.click("#ask-button");
      assert.match(
        await statusIs(page, /tokenizer/),
        /^the opened files: there is no tokenizer\. Choose tokenizer\.json/,
      );
      const config = { ...JSON.parse(readFileSync(files[0] ?? "", "utf8")), _name_or_path: "somebody/small-eyes" };
      const others = ["tokenizer.json", "preprocessor_config.json", "model.safetensors"];
      await open([made("config.json", JSON.stringify(config)), ...others.map((name) => join(model, name))]);
      assert.not.match(await statusIs(page, /^Ready: small-eyes on /), /Warning/);
      assert.not.match((await page.textContent("#model")) ?? "", /warning/);
      // What the other model said, and how long it took.
      assert.is(await page.textContent("#answer"), "");
      assert.is(await page.textContent("#answer-facts"), "");
      await page.locator("#timeline-empty", { hasText: /^Ask something/ }).waitFor();
      assert.is(await page.locator("#time-chart canvas, #pool-chart canvas, #timeline-table tbody tr").count(), 0);
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
    const strip = made("strip.png", sizedPng(40_000, 100));
    await withDemo(async ({ page, faults }) => {
      await page.setInputFiles("#picture-file", join(model, "samples", "digits.png"));
      await statusIs(page, /64 x 64 pixels/);
      for (const path of [broken, huge, long, strip]) {
        await page.setInputFiles("#picture-file", path);
        const name = path.slice(folder.length + 1);
        const told = await statusIs(page, new RegExp(`^${name}`));
        assert.match(told, /cannot be read|pixels, the limit|bytes, the limit|is a strip of 40000 x 100/);
        // Its header alone says so: what follows is too short to be decoded.
        if (path === huge) assert.match(told, /has 40000 x 40000 pixels, the limit.*moderate size\.$/);
      }
      for (const [type, quality, alpha] of ENCODINGS) {
        const bytes = await page.evaluate(encode, { type, quality, alpha });
        assert.equal(
          await pictureSize(new Blob([Uint8Array.from(bytes)])),
          { width: 321, height: 57 },
          `${type} ${quality}`,
        );
      }
      assert.is((await askDemo(page, "how many sixes?")).trim(), "2");
      assert.equal(faults, []);
    });
  });
}

test.after(() => rmSync(folder, { recursive: true, force: true }));

test.run();
