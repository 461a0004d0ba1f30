#!/usr/bin/env python3
"""Checks the shipped model against Hugging Face transformers, once, by hand.

Opens the model folder with LlavaForConditionalGeneration in f32, runs two evaluation questions and one
stretch of plain text, and writes the input ids and the logits of the last position as a test fixture.
With --tokens it also compares the Python `tokenizers` library with the ids that `sample-ids.ts` wrote.

Recipe that worked (Debian 12; torch 1.13.1, transformers 4.46.3, tokenizers 0.20.3):
    apt-get install --no-install-recommends python3-torch python3-numpy python3-pil libopenblas0-pthread python3-venv
    /usr/bin/python3 -m venv --system-site-packages VENV && VENV/bin/pip install transformers==4.46.3
    VENV/bin/python scripts/model/transformers_check.py \\
        --model models/nibblemark-llava-2m --out tests/golden/llava-2m-transformers.json
"""

import argparse
import hashlib
import json
import os
import pathlib

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy
import torch
import transformers
from PIL import Image
from tokenizers import Tokenizer

IMAGE_TOKENS = 16
TILES_PER_ROW = 16
TILE = 64
TEXT_TOKENS = 96
EVAL_LINES = (0, 102)  # one digit grid, one easy-VQA picture
BOS = 1
IMAGE = 4


def tile_pixels(sheet, tile):
    """[3, 64, 64] f32 pixels of one tile, (x / 255 - 0.5) / 0.5."""
    left, top = (tile % TILES_PER_ROW) * TILE, tile // TILES_PER_ROW * TILE
    crop = sheet.crop((left, top, left + TILE, top + TILE)).convert("RGB")
    pixels = numpy.asarray(crop, dtype=numpy.float32) / numpy.float32(255)
    return torch.from_numpy(((pixels - 0.5) / 0.5).transpose(2, 0, 1).copy())


def check_processor(folder, sheet, tile):
    """The image processor of preprocessor_config.json must give the same pixels as tile_pixels."""
    left, top = (tile % TILES_PER_ROW) * TILE, tile // TILES_PER_ROW * TILE
    crop = sheet.crop((left, top, left + TILE, top + TILE)).convert("RGB")
    processor = transformers.CLIPImageProcessor.from_pretrained(folder)
    pixels = processor(crop, return_tensors="pt")["pixel_values"][0]
    error = (pixels - tile_pixels(sheet, tile)).abs().max().item()
    assert error < 1e-6, f"preprocessor_config.json gives other pixels: {error}"


def sample(name, ids, logits, extra):
    """One entry of the fixture."""
    top = torch.topk(logits, 8)
    return {
        "name": name,
        **extra,
        "inputIds": ids,
        "top": [[int(i), round(float(v), 6)] for i, v in zip(top.indices, top.values)],
        "lastLogits": [round(float(v), 6) for v in logits],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=pathlib.Path, default=pathlib.Path("models/nibblemark-llava-2m"))
    parser.add_argument("--eval", type=pathlib.Path, help="folder of the evaluation set (default: MODEL/eval)")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--tokens", type=pathlib.Path, help="JSON list of {text, ids} to compare")
    arguments = parser.parse_args()
    evaluation = arguments.eval or arguments.model / "eval"

    tokenizer = Tokenizer.from_file(str(arguments.model / "tokenizer.json"))
    if arguments.tokens:
        for entry in json.loads(arguments.tokens.read_text()):
            ids = tokenizer.encode(entry["text"]).ids
            assert ids == entry["ids"], f"other ids for {entry['text']!r}: {ids}"
            assert tokenizer.decode(ids) == entry["text"], f"no round trip for {entry['text']!r}"
        print("tokenizer: all ids equal")

    model, report = transformers.LlavaForConditionalGeneration.from_pretrained(
        arguments.model, torch_dtype=torch.float32, output_loading_info=True
    )
    assert not report["missing_keys"] and not report["unexpected_keys"] and not report["mismatched_keys"], report
    model.eval()
    sheet = Image.open(evaluation / "pictures.png")
    questions = [json.loads(line) for line in (evaluation / "questions.jsonl").read_text().splitlines()]
    samples = []
    with torch.no_grad():
        for line in EVAL_LINES:
            row = questions[line]
            check_processor(arguments.model, sheet, row["tile"])
            ids = [BOS] + [IMAGE] * IMAGE_TOKENS + tokenizer.encode(f"\n{row['question']}\n").ids
            pixels = tile_pixels(sheet, row["tile"])[None]
            logits = model(
                input_ids=torch.tensor([ids]),
                attention_mask=torch.ones(1, len(ids), dtype=torch.long),
                pixel_values=pixels,
            ).logits[0, -1]
            extra = {key: row[key] for key in ("tile", "question", "answer", "set")}
            samples.append(sample(f"{row['set']} line {line}", ids, logits, extra))
        text = (evaluation / "text.txt").read_text()
        ids = [BOS] + tokenizer.encode(text[:2000]).ids[: TEXT_TOKENS - 1]
        logits = model.language_model(input_ids=torch.tensor([ids])).logits[0, -1]
        samples.append(sample("text", ids, logits, {}))
    fixture = {
        "comment": "Written by scripts/model/transformers_check.py; logits of the last position in f32.",
        "transformers": transformers.__version__,
        "torch": torch.__version__,
        "modelSha256": hashlib.sha256((arguments.model / "model.safetensors").read_bytes()).hexdigest(),
        "samples": samples,
    }
    temporary = arguments.out.with_suffix(".part")
    temporary.write_text(json.dumps(fixture) + "\n")
    temporary.replace(arguments.out)
    for entry in samples:
        best = tokenizer.decode([entry["top"][0][0]], skip_special_tokens=False)
        print(f"{entry['name']}: {best!r} (expected {entry.get('answer')!r}), {len(entry['inputIds'])} ids")


if __name__ == "__main__":
    main()
