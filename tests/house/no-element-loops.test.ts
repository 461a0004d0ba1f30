// One implementation of each piece of math: no loop over tensor or trace elements in src/. Finds `for` loops that write
// into an indexed array or sum over one, and array methods on typed arrays. Byte parsing and the slow twin are exempt.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { sources } from "../support/sources.js";

/** Rooms whose work is bytes and pixels, or to be the slow twin. */
const EXEMPT = ["src/backends/reference", "src/formats/", "src/platform/", "src/model/image"];
const TYPED = /\b(?:Float32|Float64|Int32|Int16|Int8|Uint8|Uint16|Uint32|BigUint64)Array\b/;

/** Bodies of counting loops that assign to or accumulate from `name[index]`. */
const ELEMENT_LOOP =
  /for \(let (\w+) = [^;]+; \1 < [^;]+; [^)]*\) \{?[^}]*?(?:\w+\[[^\]]*\b\1\b[^\]]*\] [-+*/]?= |[-+*]= [^;\n]*\w+\[[^\]]*\b\1\b)/;

test("no loop over tensor elements in src/", () => {
  const found = sources("src", [".ts"])
    .filter(({ path }) => !EXEMPT.some((exempt) => path.startsWith(exempt)))
    .filter(({ text }) => TYPED.test(text) && ELEMENT_LOOP.test(text))
    .map(({ path, text }) => `${path}: ${ELEMENT_LOOP.exec(text)?.[0].split("\n").join(" ").slice(0, 120)}`);
  assert.equal(found, []);
});

test("the search finds what it looks for", () => {
  assert.match("for (let i = 0; i < x.length; i++) {\n    sum += x[i];\n }", ELEMENT_LOOP);
  assert.match("for (let i = 0; i < n; i++) out[i] = x[i] * 2;", ELEMENT_LOOP);
  assert.not.match("for (const [name, tensor] of tensors) upload(name, tensor);", ELEMENT_LOOP);
});

test.run();
