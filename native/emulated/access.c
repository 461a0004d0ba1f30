// The path of every load and store: most end after two comparisons, what is not in the first level goes on to the last.

#include "watch.h"

#define LIKELY(x) __builtin_expect(!!(x), 1)

/** Sets are drawn by a hash of their index, so that strides of powers of two do not all fall beside the sample. */
static inline bool is_sampled(uint64_t line) {
  return watch.sample_shift == 0 || (llc_set(&watch.llc, line) * 0x9e3779b1u) >> (32 - watch.sample_shift) == 0;
}

static inline void miss_line(Recorder *r, uint64_t line, bool writes, uint64_t instruction) {
  Llc *llc = &watch.llc;
  const int pattern = pattern_of(r, line, instruction);
  r->l1_misses++;
  if (!is_sampled(line)) return;
  WrittenBack back;
  if (watch.threaded) llc_lock(llc, line);
  const uint32_t place = llc_access(llc, line, writes, &back);
  if (watch.threaded) llc_unlock(llc, line);
  if (place < llc->ways[0]) return;
  const int largest = (place >= llc->ways[1]) + (place >= llc->ways[2]);
  Chunk *chunk = chunk_of(r, &watch.output, line);
  chunk->missed[largest][pattern]++;
  chunk->stores[largest] += writes;
  for (int size = 0; size <= largest; size++) {
    if (back.any[size]) chunk_of(r, &watch.output, back.line[size])->back[size]++;
  }
}

/** A line that was read becomes dirty; what no longer has it below will be written to memory from the first level. */
static __attribute__((noinline)) void soil(unsigned cpu, uint64_t line) {
  Llc *llc = &watch.llc;
  Recorder *r = recorder_of(cpu);
  if (!is_sampled(line)) return;
  if (watch.threaded) llc_lock(llc, line);
  const uint32_t place = llc_soil(llc, line);
  if (watch.threaded) llc_unlock(llc, line);
  for (int size = 0; size < SIZES && place >= llc->ways[size]; size++) chunk_of(r, &watch.output, line)->back[size]++;
}

static __attribute__((noinline)) void miss(unsigned cpu, uint64_t address, bool writes, uint64_t instruction) {
  Recorder *r = recorder_of(cpu);
  l1_fill(&watch.first_level[cpu % THREADS], address, writes);
  miss_line(r, address >> 6, writes, instruction);
  const uint64_t total = instructions_of(r);
  if (total - r->began >= watch.epoch_instructions) cut(r, &watch.output, total);
}

static inline void touch_line(unsigned cpu, uint64_t address, bool writes, uint64_t instruction) {
  L1 *l1 = &watch.first_level[cpu % THREADS];
  const uint32_t was = l1_hit(l1, address, writes);
  if (was == 0) miss(cpu, address, writes, instruction);
  else if (writes && !(was & 1)) soil(cpu, address >> 6);
}

/** QEMU's vector code leaves upper halves in use, and helpers written for SSE would then take a hundred times as long. */
static inline void end_wide_registers(void) {
#ifdef __x86_64__
  if (watch.has_wide_registers) __asm__ volatile("vzeroupper" ::: "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
    "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
#endif
}

static inline uint64_t own_line(unsigned cpu, uint64_t address) { return address >> 6 | (uint64_t)cpu << 48; }

/** An access that crosses into a second line touches that one too. */
static __attribute__((noinline)) void touch(unsigned cpu, uint32_t info, uint64_t address, bool writes, Last *last) {
  end_wide_registers();
  touch_line(cpu, address, writes, (uint64_t)last);
  const uint64_t end = address + (1u << qemu_plugin_mem_size_shift(info)) - 1;
  if ((address ^ end) >> 6) touch_line(cpu, end, writes, (uint64_t)last);
  last->line = own_line(cpu, address);
  last->misses = recorder_of(cpu)->l1_misses;
}

/**
 * The line that an instruction touched last is surely still in the first level while that has missed less often since than it
 * has ways: there is nothing to count, only the line's rank in its set is that of the touch before.
 */
static inline bool is_held(unsigned cpu, uint64_t address, const Last *last) {
  return last->line == own_line(cpu, address) && recorder_of(cpu)->l1_misses - last->misses < watch.l1_ways;
}

static inline void accessed(unsigned cpu, uint32_t info, uint64_t address, Last *lasts) {
  const bool writes = info >> STORE_BIT & 1;
  Last *last = lasts + writes;
  if (LIKELY(l1_is_newest(&watch.first_level[cpu % THREADS], address, writes)) || is_held(cpu, address, last)) return;
  touch(cpu, info, address, writes, last);
}

void on_memory(unsigned cpu, uint32_t info, uint64_t address, void *lasts) { accessed(cpu, info, address, lasts); }

/** The same while there is one thread: all its places are known when this is compiled. */
void on_memory_alone(unsigned cpu, uint32_t info, uint64_t address, void *lasts) {
  (void)cpu;
  accessed(0, info, address, lasts);
}
