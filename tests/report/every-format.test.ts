// Every report of one fixed result, byte for byte.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { FORMATS } from "../../src/report/formats.js";
import { PLAIN } from "../../src/report/table.js";
import { RESULT } from "./fixture.js";
import { matchesGolden } from "./golden.js";

const PARTS = { paint: PLAIN, assets: { script: "/* uPlot */", style: "/* uPlot style */" } };

for (const { name, write } of FORMATS) {
  test(`${name} of the fixed result`, () => {
    // The client script is compiled code, whose text is TypeScript's business: it stands in no golden file.
    matchesGolden(
      `result.${name}`,
      write(RESULT, PARTS).replace(/<script>\(function drawCharts[\s\S]*?<\/script>/, ""),
    );
  });
}

test("quality alone is told without the words that explain times", () => {
  const quality = { ...RESULT, cases: [], bandwidth: [], warnings: [] };
  for (const name of ["table", "md"]) {
    const text = FORMATS.find((format) => format.name === name)?.write(quality, PARTS) ?? "";
    assert.match(text, "Quality");
    assert.not.match(text, /host profile|Not run|predicted|modelled/);
  }
});

test("json gives back the result", () => {
  const json = FORMATS.find(({ name }) => name === "json")?.write(RESULT, PARTS) ?? "";
  assert.equal(JSON.parse(json), JSON.parse(JSON.stringify(RESULT)));
});

test.run();
