// Counts what a piece of code allocates: every typed array and ArrayBuffer, every grown WebAssembly memory, and what the
// JavaScript heap gains. Sums, not peaks: code that stays below a bound in sum stays below it at every moment.

import { getHeapStatistics } from "node:v8";

const COUNTED = [
  "ArrayBuffer",
  "Uint8Array",
  "Int8Array",
  "Uint16Array",
  "Int16Array",
  "Uint32Array",
  "Int32Array",
  "Float32Array",
  "Float64Array",
] as const;

let buffers = 0;
let installed = false;

type Made = ArrayBuffer | ArrayBufferView;

/** Puts counting constructors in the place of the engine's; for processes that only fuzz. */
function install(): void {
  installed = true;
  const globals = globalThis as unknown as Record<string, new (...args: unknown[]) => Made>;
  for (const name of COUNTED) {
    const counting = new Proxy(globals[name], {
      construct(target, args, newTarget) {
        const made = Reflect.construct(target, args, newTarget) as Made;
        const view = ArrayBuffer.isView(made) && made.buffer === args[0];
        if (!view) buffers += made.byteLength;
        return made;
      },
    });
    // What slice, map and subarray make asks the prototype for its constructor.
    counting.prototype.constructor = counting;
    globals[name] = counting;
  }
  const { grow } = WebAssembly.Memory.prototype;
  WebAssembly.Memory.prototype.grow = function (pages) {
    buffers += pages * 65536;
    return grow.call(this, pages);
  };
}

export interface Allocated {
  /** Typed arrays and WebAssembly memory. */
  readonly bufferBytes: number;
  /** Growth of the JavaScript heap, garbage included; too small where a collection came between. */
  readonly heapBytes: number;
}

/** Runs the action and says what it allocated. Reads of several actions at once are not told apart. */
export async function countAllocations(action: () => Promise<void>): Promise<Allocated> {
  if (!installed) install();
  buffers = 0;
  const before = getHeapStatistics().used_heap_size;
  await action();
  return { bufferBytes: buffers, heapBytes: Math.max(0, getHeapStatistics().used_heap_size - before) };
}
