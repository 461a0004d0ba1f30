// Chat templates of files: rendered as written, and stopped when they would never end.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { InputError } from "../../src/core/errors.js";
import { chatTemplate } from "../../src/formats/chat-template.js";
import { nodePlatform } from "../../src/platform/node.js";

const { limited } = nodePlatform();
const LOOP =
  "{% for m in messages %}[{{ m.role }}]{{ m.content }}{{ eos_token }}{% endfor %}{% if add_generation_prompt %}>{% endif %}";

test("messages go into the template", () => {
  const render = chatTemplate("m.gguf", LOOP, "<s>", "</s>");
  assert.is(
    render([
      { role: "system", content: "Be brief." },
      { role: "user", content: "Hi" },
    ]),
    "[system]Be brief.</s>[user]Hi</s>>",
  );
});

test("a template that is none, or calls itself for ever, is refused", () => {
  for (const source of [
    "{% for %}",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "{{ raise_exception('no') }}",
  ]) {
    assert.throws(
      () => chatTemplate("m.gguf", source, "", "")([]),
      (error: unknown) => error instanceof InputError,
    );
  }
});

test("a template that runs too long is ended", () => {
  const loops = "{% for a in range(9999) %}{% for b in range(9999) %}{% set x = a %}{% endfor %}{% endfor %}";
  const render = chatTemplate("m.gguf", loops, "", "");
  const started = performance.now();
  assert.throws(() => limited?.("chat template", 100, () => render([])), /chat template: took more than 100 ms/);
  assert.ok(performance.now() - started < 5000);
});

test.run();
