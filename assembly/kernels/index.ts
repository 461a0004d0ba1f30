// The kernels module: vectors and matrices in one linear memory, addressed by pointers. Which build this is: lanes.ts.

export { features, relaxedProbe } from "./lanes";
export { abandon, CONTROL_BYTES, hasFailed, helpedUnits, serve, setUp } from "./jobs";
export { scratchBytes } from "./units";
export { setPart, setSource } from "./fused";
export { matmul, matmulParts, preparedBytes } from "./matmul";
export { int8Bytes, int8Tile } from "./int8";
export { attention, attentionInt8 } from "./attention";
export { storeInt8 } from "./kv-int8";
export { argmaxRows, layernorm, rmsnorm, softmax } from "./norm";
export { rope, ropeTable } from "./rope";
export { add, gelu, quickGelu, silu, swiglu } from "./activation";
export { embedF32, embedInt4, embedInt8 } from "./embed";
export { gatherColumns, ropeTableScaled } from "./gather";
export { embedBlocks, matmulBlocks } from "./blocks-matmul";
export { firstBadRow } from "./blocks-floats";
export { repackInt4 } from "./blocks-repack";
export { packBlocks } from "./blocks-write";
export { patchRows } from "./patch";
export { packInt4, packInt8, syntheticInt4, syntheticInt8 } from "./pack";
export { addDifference, packInt4Zero } from "./pack-zero";
export { spreadCodes } from "./records";
export { joinBlocks, spreadScales } from "./records-scales";
export { kldCompare, kldEncode } from "./kld";
export { compareRows } from "./quality";
export { chains, chase, linkChase, readBytes, rendezvous } from "./probe";
export { press, PRESSURE_BYTES, pressUntilStopped } from "./pressure";

/** First byte that the module's own data does not use. */
export function heapBase(): usize {
  return __heap_base;
}

export function copyBytes(out: usize, from: usize, bytes: u32): void {
  memory.copy(out, from, bytes);
}
