// JSON that would need far more memory than its file has bytes is refused before it is parsed; what real files hold is not.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseSmall } from "../../src/formats/json-size.js";
import { readSafetensorsHeader } from "../../src/formats/safetensors.js";
import { strictSource } from "../fuzz/files.js";
import { refuses } from "../support/refuses.js";
import { safetensorsBytes } from "./memory-source.js";

const bracket = (count: number) => `${"[".repeat(count)}${"]".repeat(count)}`;

test("brackets by the million are refused", async () => {
  await refuses(() => parseSmall(bracket(200_000), "config.json", 400_000), /config\.json: its JSON needs some 1\d{7}/);
  const hollow = `{"a":[${"[],".repeat(300_000)}[]]}`;
  const bytes = safetensorsBytes(hollow, new Uint8Array(0));
  await refuses(() => readSafetensorsHeader(strictSource("a.safetensors", bytes)), /a\.safetensors: its JSON needs/);
});

test("small and honest ones are parsed", async () => {
  assert.equal(parseSmall("[[1],{}]", "config.json", 8), [[1], {}]);
  const names = Array.from({ length: 20_000 }, (_, i) => [
    `model.layers.${i}.mlp.down_proj.weight`,
    "model-1.safetensors",
  ]);
  const index = JSON.stringify({ weight_map: Object.fromEntries(names) });
  assert.is(
    Object.keys((parseSmall(index, "index.json", index.length) as { weight_map: object }).weight_map).length,
    20_000,
  );
  const header = Object.fromEntries(
    Array.from({ length: 9000 }, (_, i) => [
      `t${i}`,
      { dtype: "F16", shape: [8, 8], data_offsets: [i * 128, (i + 1) * 128] },
    ]),
  );
  const bytes = safetensorsBytes(JSON.stringify(header), new Uint8Array(9000 * 128));
  assert.is((await readSafetensorsHeader(strictSource("a.safetensors", bytes))).length, 9000);
});

test.run();
