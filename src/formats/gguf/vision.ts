// The projector file of a LLaVA model in GGUF (mmproj, architecture "clip"): a CLIP tower whose last layer was dropped and
// the two-layer projector. Keys: llama.cpp's clip-impl.h.

import type { ProjectorConfig, VisionConfig } from "../../core/config.js";
import { ggufFields } from "./fields.js";
import type { GgufFile } from "./header.js";
import { visionName } from "./names.js";
import { sortTensors, type Tensors } from "./tensors.js";

const MOST_LAYERS = 1024;
const POSITIONS = "vision_tower.vision_model.embeddings.position_embedding.weight";

export interface Projector {
  readonly vision: VisionConfig;
  readonly projector: ProjectorConfig;
  readonly tensors: Tensors;
}

/** Throws InputError for other projectors than the two-layer MLP, and sizes that do not fit each other. */
export function readProjector(file: GgufFile): Projector {
  const fields = ggufFields(file);
  const fail = fields.fail;
  const type = fields.text("clip.projector_type", "mlp");
  if (type !== "mlp") throw fail("clip.projector_type", `"${type}" is not supported`, 'Only "mlp" (LLaVA-1.5) is');
  const key = (name: string) => `clip.vision.${name}`;
  const hidden = fields.count(key("embedding_length"));
  const heads = fields.count(key("attention.head_count"));
  const ffn = fields.count(key("feed_forward_length"));
  const imageSize = fields.count(key("image_size"), undefined, 16384);
  const patch = fields.count(key("patch_size"), undefined, imageSize);
  const layers = fields.count(key("block_count"), undefined, MOST_LAYERS);
  if (hidden % heads !== 0) throw fail(key("attention.head_count"), `${heads} does not divide ${hidden}`);
  if (imageSize % patch !== 0) throw fail(key("patch_size"), `${patch} does not divide ${imageSize}`);
  const first = file.tensors.get("mm.0.weight");
  const last = file.tensors.get("mm.2.weight");
  if (first?.shape.length !== 2 || last?.shape.length !== 2) throw fail("mm.0.weight", "the projector is missing");
  const gelu = fields.flag("clip.use_gelu", false);
  const down = file.tensors.get("v.blk.0.ffn_down.weight");
  const swapped = down !== undefined && down.shape[0] === ffn && ffn !== hidden;
  return {
    vision: {
      ...{ imageSize, patch, hidden, layers, heads, ffn },
      normEps: fields.number(key("attention.layer_norm_epsilon")),
      activation: gelu ? "gelu" : "quickGelu",
      featureLayer: featureLayer(),
      mean: triple("image_mean", [0.48145466, 0.4578275, 0.40821073]),
      std: triple("image_std", [0.26862954, 0.26130258, 0.27577711]),
    },
    projector: { activation: "gelu", inputs: hidden, outputs: last.shape[0] },
    tensors: sortTensors(
      file,
      (name) => visionName(name, swapped),
      (name) => name === POSITIONS,
    ),
  };

  /** Files that name no layer hold those that are used and no other: the projector sees the output of the last one. */
  function featureLayer(): number {
    const list = fields.numbers(key("feature_layer"));
    if (list === null) return -1;
    if (list.length !== 1)
      throw fail(key("feature_layer"), `names ${list.length} layers`, "Only one layer is supported");
    if (list[0] === layers) return -1;
    if (Number.isInteger(list[0]) && list[0] >= 0 && list[0] < layers) return list[0];
    throw fail(key("feature_layer"), `${list[0]} is no layer of a tower of ${layers}`);
  }

  function triple(name: string, otherwise: readonly [number, number, number]): readonly [number, number, number] {
    const list = fields.numbers(key(name));
    if (list === null) return otherwise;
    const good =
      list.length === 3 && Array.from(list).every((n) => Number.isFinite(n) && (n > 0 || name !== "image_std"));
    if (!good) throw fail(key(name), "is no list of three numbers");
    return [list[0], list[1], list[2]];
  }
}
