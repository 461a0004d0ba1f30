// Entry of build/compress.*.wasm: the heavy loops of compression over one linear memory, on one thread or several. Pointers are
// byte addresses; shapes stand at each function.

export { features } from "../kernels/lanes";
export { add, swiglu } from "../kernels/activation";
export { ropeTableScaled } from "../kernels/gather";
export { rope, ropeTable } from "../kernels/rope";
export { attend } from "./attend";
export { clipSearch, fakeLoss, fakeOutput, squaredDistance } from "./awq";
export { clamp, divideRows, gridScales, groupHeads, magnitudeAdd, scaleColumns, spreadHeads } from "./scales";
export { cholesky, inverseFactor, solve } from "./cholesky";
export { dampen, diagonalOrder, gptqSweep, permuteBoth, permuteColumns } from "./gptq";
export { addDiagonal, blockGramAdd, crossAdd, diagonalMean, gramAdd, mirror } from "./gram";
export {
  adamStep, cosineGradient, firstColumns, fold, identity, mapError, overMagnitude, transform, widen,
} from "./heal";
export { abandon, CONTROL_BYTES, hasFailed, serve, setUp } from "./pool";
export { dequantize, halves, offsets, packCodes } from "./round";
export { hqqRows, roundRows } from "./rows";
export {
  addScaledDoubles, divideBy, magnitudes, means, relativeDistance, similarity, subtract, sumDoubles, sumMagnitude,
  sumSquares,
} from "./stats";
export { scratchBytes } from "./units";

/** First byte that the module's own data does not use. */
export function heapBase(): usize {
  return __heap_base;
}

export function zero(at: usize, bytes: usize): void {
  memory.fill(at, 0, bytes);
}
