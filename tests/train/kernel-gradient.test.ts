// Every backward kernel against central finite differences of its forward kernel: loss = sum(output * cotangent).

import { test } from "uvu";
import * as assert from "uvu/assert";
import { cases } from "./kernel-cases.js";
import { makeUniform, openModule } from "./tiny.js";

// f32 outputs near 1 summed over about 100 elements: rounding 1e-6; with epsilon 0.01 the slope is good to 1e-4, and
// Richardson's step leaves an error of order epsilon^4. Slopes are compared relative to at least 0.1, hence 0.5 %.
const epsilon = 0.01;
const tolerance = 5e-3;

for (const one of cases) {
  test(one.name, async () => {
    const module = await openModule();
    const { arena, kernels } = module;
    const uniform = makeUniform(one.output);
    const random = (count: number): Float32Array => Float32Array.from({ length: count }, () => 2 * uniform() - 1);
    const values = one.inputs.map(random);
    const cotangent = random(one.output);
    const addresses = values.map((value) => arena.place(value));
    const gradients = one.inputs.map((count) => arena.place(new Float32Array(count)));
    const output = arena.alloc(one.output);
    one.backward(module, addresses, arena.place(cotangent), gradients);
    const loss = (): number => {
      kernels.zero(output, one.output);
      one.forward(module, addresses, output);
      return arena.floats(output, one.output).reduce((sum, y, i) => sum + y * cotangent[i], 0);
    };
    values.forEach((value, i) => {
      const direction = random(value.length);
      const at = (scale: number): number => {
        arena.floats(addresses[i], value.length).set(value.map((x, j) => x + scale * direction[j]));
        return loss();
      };
      const slope = (step: number): number => (at(step) - at(-step)) / (2 * step);
      const numeric = (4 * slope(epsilon) - slope(2 * epsilon)) / 3;
      at(0);
      const analytic = arena.floats(gradients[i], value.length).reduce((sum, g, j) => sum + g * direction[j], 0);
      const error = Math.abs(analytic - numeric) / Math.max(0.1, Math.abs(analytic), Math.abs(numeric));
      assert.ok(error < tolerance, `input ${i}: gradient ${analytic}, finite difference ${numeric}`);
    });
  });
}

test.run();
