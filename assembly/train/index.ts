// Entry of build/train.wasm: forward, backward and optimizer kernels of the trainer.
// Plain SIMD (never relaxed) and no imports but the memory, so that a run gives the same bits on every machine.
export { scratchBytes, setScratch, gemm } from "./matmul";
export { addBias, biasGradient, linear, linearInputGradient, linearWeightGradient } from "./linear";
export { layernorm, layernormBackward, rmsnorm, rmsnormBackward } from "./norm";
export { rope, ropeTable } from "./rope";
export { attention, attentionBackward } from "./attention";
export { gelu, geluBackward, quickGelu, quickGeluBackward, swiglu, swigluBackward } from "./activation";
export { embed, embedBackward, imageRows } from "./embedding";
export { crossEntropy, hits, labelTargets, placeTargets, weightedSum } from "./loss";
export { assemble, assembleBackward, cellMean, cellMeanBackward } from "./patches";
export { dropClass, dropClassBackward, patchify } from "./patches";
export { adamw } from "./adamw";
export { absDot, distillEntropy, hiddenGradient } from "./distill";
export { add, addScaled, copy, dot, fill, normal, sum, sumOfSquares, zero } from "./vector";
