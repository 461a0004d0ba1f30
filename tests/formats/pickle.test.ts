// Pickle files are refused by name, as a file and in a folder.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import { openModel } from "../../src/formats/index.js";
import { nodePlatform } from "../../src/platform/node.js";
import { refuses } from "../support/refuses.js";

test("pickles are refused by name", async () => {
  const folder = mkdtempSync(join(tmpdir(), "nibblemark-pickle-"));
  try {
    const config = { model_type: "llama", hidden_size: 8, num_attention_heads: 2, vocab_size: 8 };
    writeFileSync(join(folder, "config.json"), JSON.stringify(config));
    writeFileSync(join(folder, "pytorch_model.bin"), Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0));
    writeFileSync(join(folder, "old.pt"), Uint8Array.of(0x80, 2, 0x8a, 0x0a));
    const platform = nodePlatform();
    await refuses(() => openModel(platform, folder), /pytorch_model\.bin: is a pickle file/);
    await refuses(() => openModel(platform, join(folder, "old.pt")), /old\.pt: is a pickle file/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test.run();
