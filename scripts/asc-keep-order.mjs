// A transform of the AssemblyScript compiler (asc --transform): Binaryen shall not move a local's value to where it is used.
// Sunk into one long expression, the sums of a kernel come after all its loads, whose values V8 must then spill: dots of
// int4 rows ran at 13.7 instead of 17.9 GB/s in cache. With the passes left out, V8 sees the order of the source.
import binaryen from "assemblyscript/binaryen";

const SINKING = [
  "simplify-locals",
  "simplify-locals-nostructure",
  "simplify-locals-notee",
  "simplify-locals-notee-nostructure",
];

/** asc calls this before it compiles; binaryen is the instance that asc uses. */
export function afterInitialize() {
  for (const name of SINKING) {
    const bytes = new TextEncoder().encode(`${name}\0`);
    const at = binaryen._malloc(bytes.length);
    for (const [i, byte] of bytes.entries()) binaryen.__i32_store8(at + i, byte);
    binaryen._BinaryenAddPassToSkip(at);
    binaryen._free(at);
  }
}
