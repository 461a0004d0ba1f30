// Devices bind little at once and take 65,535 workgroups in a line: weights are cut into bindings, dispatches into lines, and
// the results stay the same. Activations beyond a binding are refused by name.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { openWebgpu } from "../../src/backends/webgpu.js";
import type { TensorSpec } from "../../src/core/op.js";
import { nodePlatform } from "../../src/platform/node.js";
import { referenceEntry } from "../conformance/backends.js";
import { caseBuilder } from "../conformance/case.js";
import { differences } from "../conformance/compare.js";
import { SUITE } from "../conformance/suite.js";
import { refuses } from "../support/refuses.js";
import { needWebgpu } from "../support/webgpu.js";

if (needWebgpu()) {
  test("weights in bindings of 9 KiB give the results of whole ones", async () => {
    const most = 9 * 1024;
    const cases = SUITE.filter(({ name }) => /^(?:embed|matmul .*\[(?:130, 256|200, 100)\] x [15],)/.test(name));
    const isLarge = ({ rows, cols, format }: TensorSpec) => rows * cols * (format.startsWith("int4") ? 0.5 : 1) > most;
    assert.ok(cases.filter(({ tensors }) => tensors.some(isLarge)).length > 20);
    const backend = await openWebgpu(nodePlatform(), { maxBindingBytes: most });
    assert.equal(await differences(backend, await referenceEntry.open(), cases), []);
  });

  test("more than 65,535 workgroups go on in the next line", async () => {
    const b = caseBuilder(3);
    const rows = 66_000;
    const [x, y, out] = [b.input(rows, 64), b.input(1, 64), b.input(rows, 64)];
    const entry = b.done("many rows", 3e-6, [{ kind: "add", x, y, out, rows }], out);
    assert.equal(await differences(await openWebgpu(nodePlatform()), await referenceEntry.open(), [entry]), []);
  });

  test("a short line of workgroups is enough for any of them", async () => {
    const kinds = /^(?:rmsnorm|layernorm|rope|add|gather|softmax|attention 8|embed f32|matmul int4-g32 \[130, 256\])/;
    const cases = SUITE.filter(({ name }) => kinds.test(name));
    const backend = await openWebgpu(nodePlatform(), { maxGroups: 3 });
    assert.ok(cases.length > 30, `${cases.length}`);
    assert.equal(await differences(backend, await referenceEntry.open(), cases), []);
  });

  test("activations that no binding holds are refused by name", async () => {
    const spec: TensorSpec = {
      ...{ id: 0, name: "logits", class: "activations", part: "decoder", layer: -1, format: "f32" },
      ...{ rows: 64, cols: 64 },
    };
    const backend = await openWebgpu(nodePlatform(), { maxBindingBytes: 4096 });
    await refuses(() => backend.allocate([spec]), /logits/, /16384 bytes/, /4096/);
    await backend.close();
  });
}

test.run();
