// Where a sampled operation found its data: words of PERF_SAMPLE_DATA_SRC, union perf_mem_data_src of linux/perf_event.h.

/** mem_op, bits 0 to 4: LOAD or STORE. */
const LOAD_OR_STORE = 0x2n | 0x4n;
/** mem_lvl, bits 5 to 18: LOC_RAM, REM_RAM1, REM_RAM2. */
const IN_RAM = (0x80n | 0x100n | 0x200n) << 5n;
/** mem_lvl: L3 and MISS together. */
const L3_MISS = (0x40n | 0x4n) << 5n;
/** mem_lvl_num, bits 33 to 36: CXL, RAM, PMEM. Some kernels tell RAM by mem_lvl alone, all of them CXL and PMEM by this one. */
const NUMBER_SHIFT = 33n;
const MEMORY_NUMBERS = [0x9n, 0xdn, 0xen];

/**
 * Whether a load or store went to memory beyond the last level, near, far or CXL. Data from another core's cache does not count:
 * the misses that are shared out are lines from memory.
 */
export function missedLastLevel(source: bigint): boolean {
  if ((source & LOAD_OR_STORE) === 0n) return false;
  const number = (source >> NUMBER_SHIFT) & 0xfn;
  return (source & IN_RAM) !== 0n || (source & L3_MISS) === L3_MISS || MEMORY_NUMBERS.includes(number);
}
