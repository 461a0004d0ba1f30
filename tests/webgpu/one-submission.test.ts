// An epoch is one submission to the GPU, and what comes back is the sampled token or the logits: nothing else is mapped.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { openWebgpu } from "../../src/backends/webgpu.js";
import { readFloat32 } from "../../src/formats/convert.js";
import { closeModel, openModel } from "../../src/formats/index.js";
import { loadModel } from "../../src/model/load.js";
import { planOf } from "../../src/model/plan.js";
import { openSession } from "../../src/model/session.js";
import { nodePlatform } from "../../src/platform/node.js";
import { plainQuantizer } from "../conformance/quantizer.js";
import { needWebgpu } from "../support/webgpu.js";

/** Two timestamps, and the padding before them. */
const STAMP_BYTES = 16 + 4;

/** Arguments of every call of a method of all objects of one kind, until undone. */
function watchCalls(object: object, method: string): { readonly calls: unknown[][]; undo(): void } {
  const prototype = Object.getPrototypeOf(object) as Record<string, (...args: unknown[]) => unknown>;
  const original = prototype[method] as (...args: unknown[]) => unknown;
  const calls: unknown[][] = [];
  prototype[method] = function (this: unknown, ...args: unknown[]) {
    calls.push(args);
    return original.apply(this, args);
  };
  return {
    calls,
    undo() {
      prototype[method] = original;
    },
  };
}

if (needWebgpu()) {
  test("a picture, a prompt and a token are one submission each, and a token is all that is read back", async () => {
    const platform = nodePlatform();
    const model = await openModel(platform, platform.packagePath("models/nibblemark-llava-2m"));
    const backend = await openWebgpu(platform);
    const parts = { backend, quantizer: plainQuantizer, readFloat32 };
    const loaded = await loadModel(model, parts, { plan: planOf("int4-g32", undefined, "f32"), activations: "f32" });
    const session = openSession(loaded);
    const probe = backend.device.createBuffer({ size: 16, usage: 1 | 8 });
    const submits = watchCalls(backend.device.queue, "submit");
    const maps = watchCalls(probe, "mapAsync");
    const since = () => [submits.calls.splice(0), maps.calls.splice(0)] as const;
    try {
      await session.see(new Float32Array(3 * 64 * 64).fill(0.5));
      const [seen, mappedSeen] = since();
      assert.is(seen.length, 1);
      assert.ok(mappedSeen.every(([, , bytes]) => (bytes as number) <= STAMP_BYTES));
      for (const tokens of [[1, ...new Array<number>(16).fill(4), 203, 77], [500], [12]]) {
        await session.next(tokens);
        const [submitted, mapped] = since();
        assert.is(submitted.length, 1);
        assert.equal(
          submitted.map(([buffers]) => (buffers as unknown[]).length),
          [1],
        );
        assert.is(mapped.length, 1);
        assert.ok((mapped[0]?.[2] as number) <= 4 + STAMP_BYTES, `${mapped[0]?.[2]} bytes`);
      }
      await session.logits([12]);
      const [submitted, mapped] = since();
      assert.is(submitted.length, 1);
      const { vocab } = loaded.graph.config.decoder;
      assert.ok((mapped[0]?.[2] as number) <= 4 * vocab + STAMP_BYTES);
    } finally {
      submits.undo();
      maps.undo();
      await backend.close();
      await closeModel(model);
    }
  });
}

test.run();
