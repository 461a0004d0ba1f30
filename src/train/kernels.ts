// The trainer's WebAssembly module: its exports, and the arena that hands out its memory.
// All arguments are numbers: byte addresses, counts, flags 0 or 1. Shapes are in assembly/train.

type Kernel = (...args: number[]) => void;
type Reduction = (...args: number[]) => number;

type KernelName =
  | "setScratch"
  | "gemm"
  | "linear"
  | "linearInputGradient"
  | "linearWeightGradient"
  | "addBias"
  | "biasGradient"
  | "rmsnorm"
  | "rmsnormBackward"
  | "layernorm"
  | "layernormBackward"
  | "rope"
  | "ropeTable"
  | "attention"
  | "attentionBackward"
  | "swiglu"
  | "swigluBackward"
  | "quickGelu"
  | "quickGeluBackward"
  | "gelu"
  | "geluBackward"
  | "imageRows"
  | "embed"
  | "embedBackward"
  | "crossEntropy"
  | "distillEntropy"
  | "labelTargets"
  | "placeTargets"
  | "patchify"
  | "assemble"
  | "assembleBackward"
  | "dropClass"
  | "dropClassBackward"
  | "cellMean"
  | "cellMeanBackward"
  | "adamw"
  | "add"
  | "addScaled"
  | "copy"
  | "fill"
  | "normal"
  | "sum"
  | "zero";
type ReductionName = "absDot" | "hiddenGradient" | "scratchBytes" | "sumOfSquares" | "dot" | "weightedSum" | "hits";

export type TrainKernels = Readonly<Record<KernelName, Kernel> & Record<ReductionName, Reduction>>;

/** Byte address in the trainer's memory. */
export type Address = number;

/** A stack of allocations in one WebAssembly memory; grows it as needed. */
export interface Arena {
  /** Address of `floats` 4-byte values, 64-byte aligned, contents undefined. */
  alloc(floats: number): Address;
  /** Everything allocated after `mark()` is given back by `release(mark)`. */
  mark(): Address;
  release(mark: Address): void;
  /** Views; valid until the next `alloc`. */
  floats(address: Address, count: number): Float32Array;
  ints(address: Address, count: number): Int32Array;
  /** Copies values in and returns where they lie; 64 readable bytes follow. */
  place(values: Int32Array | Float32Array | Uint8Array): Address;
}

export interface TrainModule {
  readonly kernels: TrainKernels;
  readonly arena: Arena;
}

const pageBytes = 65536;
/** The module's own static data (tables of Math) end below this address. */
const firstAddress = pageBytes;

function makeArena(memory: WebAssembly.Memory): Arena {
  let top = firstAddress;
  const alloc = (floats: number): Address => {
    const address = top;
    top += Math.ceil((floats * 4) / 64) * 64;
    const missing = top + 64 - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / pageBytes) + 64);
    return address;
  };
  return {
    alloc,
    mark: () => top,
    release: (mark) => {
      top = mark;
    },
    floats: (address, count) => new Float32Array(memory.buffer, address, count),
    ints: (address, count) => new Int32Array(memory.buffer, address, count),
    place: (values) => {
      const address = alloc(Math.ceil(values.byteLength / 4) + 16);
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      new Uint8Array(memory.buffer, address, values.byteLength).set(bytes);
      return address;
    },
  };
}

/**
 * Instantiates build/train.wasm with a memory of its own.
 * @param bytes the module
 */
export async function openTrainModule(bytes: Uint8Array): Promise<TrainModule> {
  const memory = new WebAssembly.Memory({ initial: 64 });
  const module = await WebAssembly.compile(new Uint8Array(bytes));
  const instance = await WebAssembly.instantiate(module, { env: { memory } });
  const kernels = instance.exports as unknown as TrainKernels;
  const arena = makeArena(memory);
  kernels.setScratch(arena.alloc(kernels.scratchBytes() / 4));
  return { kernels, arena };
}
