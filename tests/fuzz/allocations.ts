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

type Made = ArrayBuffer | ArrayBufferView;
type Maker = new (...args: unknown[]) => Made;

const globals = globalThis as unknown as Record<string, Maker>;
const memory = WebAssembly.Memory.prototype;
const own = { makers: COUNTED.map((name) => globals[name]), grow: memory.grow };
const counting = { makers: own.makers.map(countingMaker), grow: countingGrow };
let buffers = 0;

function countingMaker(maker: Maker): Maker {
  return new Proxy(maker, {
    construct(target, args, newTarget) {
      const made = Reflect.construct(target, args, newTarget) as Made;
      const view = ArrayBuffer.isView(made) && made.buffer === args[0];
      if (!view) buffers += made.byteLength;
      return made;
    },
  });
}

function countingGrow(this: WebAssembly.Memory, pages: number): number {
  buffers += pages * 65536;
  return own.grow.call(this, pages);
}

/** Puts constructors in the place of the engine's, only while something is counted: proxies are slow. For processes that only fuzz. */
function use({ makers, grow }: typeof own): void {
  makers.forEach((maker, i) => {
    globals[COUNTED[i]] = maker;
    // What slice, map and subarray make asks the prototype for its constructor.
    maker.prototype.constructor = maker;
  });
  memory.grow = grow;
}

export interface Allocated {
  /** Typed arrays and WebAssembly memory. */
  readonly bufferBytes: number;
  /** Growth of the JavaScript heap, garbage included; too small where a collection came between. */
  readonly heapBytes: number;
}

/** Runs the action and says what it allocated. Reads of several actions at once are not told apart. */
export async function countAllocations(action: () => Promise<void>): Promise<Allocated> {
  use(counting);
  buffers = 0;
  const before = getHeapStatistics().used_heap_size;
  try {
    await action();
  } finally {
    use(own);
  }
  return { bufferBytes: buffers, heapBytes: Math.max(0, getHeapStatistics().used_heap_size - before) };
}
