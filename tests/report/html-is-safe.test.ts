// The HTML report stands alone and lets no name of a model, machine or file become markup.

import { test } from "uvu";
import * as assert from "uvu/assert";
import { htmlReport } from "../../src/report/html.js";
import { RESULT } from "./fixture.js";

const page = htmlReport(RESULT, { script: "var uPlot;", style: "" });

test("names are escaped in content and in data", () => {
  assert.not.match(page, /<b>/);
  assert.not.match(page, /<script>alert/);
  assert.is(page.split("</script>").length - 1, 4);
});

test("nothing is loaded from elsewhere", () => {
  assert.not.match(page, /(?:src|href)\s*=|@import|url\(/);
});

test("the data in the page is the result", () => {
  const data = /<script type="application\/json" id="result">(.*?)<\/script>/s.exec(page)?.[1] ?? "";
  assert.is(JSON.parse(data).environment.cpu, RESULT.environment.cpu);
});

test("the chart script needs nothing from outside its own text", () => {
  const script = /<script>\((function drawCharts[\s\S]*?)\)\(JSON\.parse/.exec(page)?.[1] ?? "";
  const draw = new Function(`return ${script}`)() as (groups: unknown[], plot: unknown) => void;
  draw([], null);
});

test.run();
