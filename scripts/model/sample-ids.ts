// Writes 100 strings with their token ids, for comparing our encoder with other tokenizer libraries:
// `node build/scripts/model/sample-ids.js FILE`, then transformers_check.py --tokens FILE.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { InputError } from "../../src/core/errors.js";
import { writeWhole } from "./evalfiles.js";
import { makeRandom } from "./random.js";
import { modelFolder } from "./tokenizer.js";
import { loadTokenizer } from "./tokenizer-json.js";

const odd = [
  "héllo ✓ 日本 🙂",
  " lead, trail  ",
  "a\n\n\nb\t\tc",
  "it's 1,234's we'll",
  "ALL CAPS & $ymbols #42",
  "\u00a0x",
];
const path = process.argv[2];
if (!path) throw new InputError("sample-ids", "FILE", "is missing", "Name the file to write.");
const tokenizer = loadTokenizer(join(modelFolder, "tokenizer.json"));
const text = readFileSync(join(modelFolder, "eval", "text.txt"), "utf8");
const questions = readFileSync(join(modelFolder, "eval", "questions.jsonl"), "utf8")
  .trimEnd()
  .split("\n");
const random = makeRandom(1);
const stretches = Array.from({ length: 54 }, () => text.substr(random.int(text.length - 300), random.int(300)));
const asked = questions.slice(80, 120).map((line) => `\n${JSON.parse(line).question}\n`);
const entries = [...odd, ...stretches, ...asked].map((entry) => ({ text: entry, ids: tokenizer.encode(entry) }));
writeWhole(path, `${JSON.stringify(entries)}\n`);
