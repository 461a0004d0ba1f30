// The path of every load and store: most end after two comparisons, what is not in the first level is queued for the last.

#include "watch.h"

#define LIKELY(x) __builtin_expect(!!(x), 1)

static inline void queue(Recorder *r, uint64_t line, unsigned kind, uint64_t instruction) {
  llc_prefetch(&watch.llc, line);
  r->queue[r->queued] = (Queued){ line << KIND_BITS | kind, instruction };
  if (++r->queued == QUEUE) drain(r);
}

static inline void miss(Recorder *r, L1 *l1, uint64_t address, bool writes, uint64_t instruction) {
  l1_fill(l1, address, writes);
  r->l1_misses++;
  queue(r, address >> 6, writes ? WRITES : 0, instruction);
  if (instructions_of(r) - r->began >= watch.epoch_instructions) end_epoch(r, true);
}

static inline void touch_line(unsigned cpu, uint64_t address, bool writes, uint64_t instruction) {
  L1 *l1 = &watch.first_level[cpu % THREADS];
  const uint32_t was = l1_hit(l1, address, writes);
  if (was == 0) miss(recorder_of(cpu), l1, address, writes, instruction);
  else if (writes && !(was & 1)) queue(recorder_of(cpu), address >> 6, SOILS, instruction);
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
