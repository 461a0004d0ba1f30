// Flags of `compress` that would do nothing beside the others are refused: who gives one expects it to change the result.

import { InputError } from "../../core/errors.js";
import { type CompressRequest, criteriaOf } from "./request.js";

const TRIED = ["perplexity", "task-loss", "sleb", "healed-swap"];

interface Rule {
  readonly flags: readonly string[];
  readonly used: boolean;
  readonly needs: string;
}

function rulesOf(request: CompressRequest): Rule[] {
  const { prune, compare, heal } = request;
  const criteria = criteriaOf(request);
  const counts = prune !== null && "count" in prune;
  const chooses = counts || (prune === null && compare.length > 0);
  const trained = ["steps", "rate", "patience", "seed", "distill-hidden", "distill-logits", "heal-data"];
  return [
    { flags: ["criterion"], used: counts, needs: "--prune N" },
    { flags: ["shape", "protect"], used: chooses, needs: "--prune N" },
    { flags: ["search-budget"], used: criteria.includes("healed-swap"), needs: "--criterion healed-swap" },
    {
      flags: ["search-samples"],
      used: criteria.some((name) => TRIED.includes(name)),
      needs: "a criterion that tries removals, such as --criterion healed-swap",
    },
    { flags: ["adapter"], used: criteria.includes("lora-delta"), needs: "--criterion lora-delta" },
    { flags: ["general"], used: criteria.includes("activation-shift"), needs: "--criterion activation-shift" },
    {
      flags: ["ridge"],
      used: heal.includes("replaceme") || criteria.includes("healed-swap"),
      needs: "--heal replaceme",
    },
    { flags: trained, used: heal.some((name) => name.startsWith("sft")), needs: "--heal sft" },
    { flags: ["rank"], used: heal.includes("sft-lora"), needs: "--heal sft-lora" },
  ];
}

/** @param isGiven whether a flag stands on the command line. Throws InputError for one that has nothing to act on */
export function checkUsed(request: CompressRequest, isGiven: (flag: string) => boolean): void {
  for (const { flags, used, needs } of rulesOf(request)) {
    const idle = used ? undefined : flags.find(isGiven);
    if (idle === undefined) continue;
    throw new InputError("nibblemark compress", `--${idle}`, `does nothing without ${needs}`, "Give both, or neither");
  }
}
