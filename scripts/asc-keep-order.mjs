// A transform of the AssemblyScript compiler (asc --transform): in hot kernels Binaryen shall not move a local's value to where
// it is used. Sunk into one long expression, the sums of a kernel come after all its loads, whose values V8 must then spill:
// dots of int4 rows ran at 13.7 instead of 17.9 GB/s in cache. With the passes left out, V8 sees the order of the source.
import binaryen from "assemblyscript/binaryen";

/** Files of assembly/kernels whose functions keep their order; in all others code is smaller with values sunk. */
const KEPT = /^assembly\/kernels\/(int4-(bytes|dots|pairs|planes)|tiles)/;
const SINKING = [
  "simplify-locals",
  "simplify-locals-nostructure",
  "simplify-locals-notee",
  "simplify-locals-notee-nostructure",
];
/** What brings the other functions to the form that they would have had. */
const AFTER = ["simplify-locals", "vacuum", "coalesce-locals", "simplify-locals", "vacuum", "reorder-locals", "vacuum"];

function withText(text, use) {
  const bytes = new TextEncoder().encode(`${text}\0`);
  const at = binaryen._malloc(bytes.length);
  for (const [i, byte] of bytes.entries()) binaryen.__i32_store8(at + i, byte);
  const result = use(at);
  binaryen._free(at);
  return result;
}

function nameOf(func) {
  let [name, at] = ["", binaryen._BinaryenFunctionGetName(func)];
  for (let byte = binaryen.__i32_load8_u(at); byte !== 0; byte = binaryen.__i32_load8_u(++at)) {
    name += String.fromCharCode(byte);
  }
  return name;
}

/** asc calls this between compiling and optimizing, and `runPasses` once it has optimized; `binaryen` is the instance that it uses. */
export function afterCompile(module) {
  for (const name of SINKING) withText(name, (at) => binaryen._BinaryenAddPassToSkip(at));
  const { runPasses } = module;
  module.runPasses = (list) => {
    binaryen._BinaryenClearPassesToSkip();
    const count = binaryen._BinaryenGetNumFunctions(module.ptr);
    for (let i = 0; i < count; i++) {
      const func = binaryen._BinaryenGetFunctionByIndex(module.ptr, i);
      if (!KEPT.test(nameOf(func))) for (const name of AFTER) runPass(module.ptr, func, name);
    }
    runPasses.call(module, list);
  };
}

function runPass(module, func, name) {
  withText(name, (text) => {
    const list = binaryen._malloc(4);
    binaryen.__i32_store(list, text);
    binaryen._BinaryenFunctionRunPasses(func, module, list, 1);
    binaryen._free(list);
  });
}
