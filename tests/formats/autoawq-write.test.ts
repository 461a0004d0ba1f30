// AutoAWQ files that are written hold exactly the packed values, and sizes are checked before.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { unpackInt4 } from "../../src/backends/reference/unpack.js";
import type { PackedInt4 } from "../../src/core/packed.js";
import { awqSettings, awqTensors, checkAwqSizes } from "../../src/formats/autoawq-write.js";
import { splitQuantized } from "../../src/formats/hf-quantized.js";
import { uniform } from "../../src/model/sample.js";
import { packInt4, toHalf } from "../conformance/quantizer.js";
import { refuses } from "../support/refuses.js";
import { repacker, tensor } from "./quantized-tensors.js";

for (const offset of ["none8", "zeroU4"] as const) {
  test(`${offset} goes to AutoAWQ and back`, async () => {
    const random = uniform(2);
    const code = () => Math.floor(random() * 16);
    const packed = packInt4({ rows: 24, cols: 96, group: 32, offset }, code, () => toHalf(random()), code);
    const tensors = await Promise.all(
      awqTensors("m.weight", packed).map(async ({ name, dtype, shape, bytes }) =>
        tensor(name, dtype, shape, await bytes()),
      ),
    );
    const config = { quantization_config: awqSettings(32, ["lm_head"]) };
    const { stored } = await splitQuantized("config.json", config, tensors);
    const again = (await stored.get("m.weight")?.read(repacker)) as PackedInt4;
    assert.equal(unpackInt4(again), unpackInt4(packed));
  });
}

test("sizes that do not fit are refused with a group that does", async () => {
  // SmolLM2-135M: 576 columns are no multiple of 128.
  const smol = [
    { name: "q", rows: 576, cols: 576 },
    { name: "down", rows: 576, cols: 1536 },
  ];
  await refuses(() => checkAwqSizes(smol, 128), /q: group_size: 576 columns are no multiple of 128\. Use groups of 64/);
  checkAwqSizes(smol, 64);
  await refuses(() => checkAwqSizes([{ name: "x", rows: 12, cols: 64 }], 64), /rows: 12 is no multiple of 8/);
  await refuses(() => checkAwqSizes([{ name: "x", rows: 8, cols: 40 }], 32), /Keep this matrix in f16/);
  const moved = packInt4(
    { rows: 8, cols: 32, group: 32, offset: "bias" },
    () => 1,
    () => 1,
  );
  await refuses(() => awqTensors("m.weight", moved), /no zero point/);
});

test.run();
