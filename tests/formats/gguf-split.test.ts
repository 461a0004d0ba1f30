// A model in several GGUF files, as gguf-py cuts them: the same as the whole one, whichever part is named, and refused
// where a part is missing or another model's.

import { spawnSync } from "node:child_process";
import { copyFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { closeModel, openModel } from "../../src/formats/index.js";
import { refuses } from "../support/refuses.js";
import { root } from "../support/root.js";
import { haveFixtures } from "./llama-cpp.js";
import { inFolder, platform, valuesOf } from "./writers.js";

if (haveFixtures("models")) {
  const whole = join(root, ".cache/gguf/models/llama-Q4_0.gguf");
  const python = join(root, ".cache/gguf/venv/bin/python");
  const cut = (source: string, target: string) => {
    const args = ["scripts/fixtures/gguf_fixtures.py", "split", source, target];
    const { status, stderr } = spawnSync(python, args, { cwd: root, encoding: "utf8" });
    assert.is(status, 0, stderr);
  };
  const open = async (path: string) => closeModel(await openModel(platform, path));

  test("parts are one model", async () => {
    const expected = await valuesOf(whole);
    await inFolder(async (folder) => {
      cut(whole, join(folder, "m"));
      const names = readdirSync(folder);
      assert.ok(names.length >= 3, String(names));
      for (const name of names) assert.equal(await valuesOf(join(folder, name)), expected, name);
      const last = join(folder, names[names.length - 1]);
      copyFileSync(join(folder, names[1]), last);
      await refuses(() => open(join(folder, names[0])), /split\.no: says that it is part 2 of 3, it stands as 3 of 3/);
      rmSync(last);
      await refuses(() => open(join(folder, names[0])), /m-00003-of-00003\.gguf: no such file/);
      const renamed = join(folder, "renamed.gguf");
      copyFileSync(join(folder, names[0]), renamed);
      await refuses(() => open(renamed), /split\.count: is one of 3 parts, its name must end in/);
    });
  });

  test("parts of two models are no model", async () => {
    await inFolder(async (folder) => {
      cut(whole, join(folder, "m"));
      cut(join(root, ".cache/gguf/models/qwen2-F16.gguf"), join(folder, "q"));
      copyFileSync(join(folder, "q-00002-of-00004.gguf"), join(folder, "m-00002-of-00003.gguf"));
      await refuses(() => open(join(folder, "m-00001-of-00003.gguf")), /part 2 of 4, it stands as 2 of 3/);
    });
  });
}

test.run();
