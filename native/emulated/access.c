// The path of every load and store: most end after two comparisons, what is not in the first level goes on to the last.

#include "watch.h"

#define LIKELY(x) __builtin_expect(!!(x), 1)
/** Of lines of the processor's own: the hottest code crosses none. */
#define HOT __attribute__((noipa, aligned(64)))
#define INLINE static inline __attribute__((always_inline))

INLINE void touch_line(unsigned cpu, uint64_t address, bool writes, uint64_t instruction) {
  L1 *l1 = &watch.first_level[own_number(cpu)];
  Recorder *r = recorder_of(cpu);
  const uint64_t line = address >> 6;
  const uint32_t was = l1_hit(l1, address, writes);
  if (was == 0) {
    l1_fill(l1, address, writes);
    r->l1_misses++;
    take_or_queue(r, line, (unsigned)pattern_of(r, line, instruction) << PATTERN_BIT | (writes ? WRITES : 0));
    if (instructions_of(r) - r->began >= watch.epoch_instructions) end_epoch(r, true);
  } else if (writes && !(was & 1)) take_or_queue(r, line, IRREGULAR << PATTERN_BIT | SOILS);
}

/** QEMU's vector code leaves upper halves in use, and helpers written for SSE would then take a hundred times as long. */
static inline void end_wide_registers(void) {
#ifdef __x86_64__
  if (watch.has_wide_registers) __asm__ volatile("vzeroupper" ::: "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
    "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
#endif
}

INLINE uint64_t own_line(unsigned cpu, uint64_t address) { return address >> 6 | (uint64_t)cpu << 48; }

INLINE bool is_store(uint32_t info) { return info >> STORE_BIT & 1; }

/** What is kept of an instruction's loads or of its stores. */
INLINE Last *last_of(uint32_t info, void *lasts) { return (Last *)lasts + is_store(info); }

/** Bytes from..to, no more than a line's: what crosses into a second line touches that one too. */
INLINE void touch(unsigned cpu, uint64_t from, uint64_t to, bool writes, Last *last) {
  end_wide_registers();
  touch_line(cpu, from, writes, (uint64_t)last);
  if ((from ^ to) >> 6) touch_line(cpu, to, writes, (uint64_t)last);
  last->line = own_line(cpu, from);
  last->misses = recorder_of(cpu)->l1_misses;
}

INLINE uint64_t last_byte(uint32_t info, uint64_t address) { return address + (1u << (info >> SIZE_BIT & SIZE_MASK)) - 1; }

/**
 * The line that an instruction touched last is surely still in the first level while that has missed less often since than it
 * has ways: there is nothing to count, only the line's rank in its set is that of the touch before.
 */
INLINE bool is_held(unsigned cpu, uint64_t address, const Last *last) {
  return last->line == own_line(cpu, address) && recorder_of(cpu)->l1_misses - last->misses < watch.l1_ways;
}

static HOT void go_on(unsigned cpu, uint32_t info, uint64_t address, void *lasts) {
  Last *last = last_of(info, lasts);
  if (!is_held(cpu, address, last)) touch(cpu, address, last_byte(info, address), is_store(info), last);
}

static HOT void touch_alone(unsigned cpu, uint32_t info, uint64_t address, void *lasts) {
  (void)cpu;
  touch(0, address, last_byte(info, address), is_store(info), last_of(info, lasts));
}

static HOT void go_on_alone(unsigned cpu, uint32_t info, uint64_t address, void *lasts) {
  if (!is_held(0, address, last_of(info, lasts))) touch_alone(cpu, info, address, lasts);
}

HOT void on_memory(unsigned cpu, uint32_t info, uint64_t address, void *lasts) {
  if (!LIKELY(l1_is_newest(&watch.first_level[own_number(cpu)], address, is_store(info)))) go_on(cpu, info, address, lasts);
}

/** The same while there is one thread: all its places are known when this is compiled. */
HOT void on_memory_alone(unsigned cpu, uint32_t info, uint64_t address, void *lasts) {
  if (!LIKELY(l1_is_newest(&watch.first_level[0], address, is_store(info)))) go_on_alone(cpu, info, address, lasts);
}

static HOT void go_on_group(unsigned cpu, uint32_t info, uint64_t address, void *data) {
  Group *group = data;
  const uint64_t from = address + group->from, to = address + group->to;
  Last *last = &group->last[0];
  if ((from ^ to) >> 6 || !is_held(cpu, from, last)) touch(cpu, from, to, is_store(info), last);
}

INLINE void accessed_group(unsigned cpu, uint32_t info, uint64_t address, void *data) {
  const Group *group = data;
  const uint64_t from = address + group->from, to = address + group->to;
  const bool one_line = (from ^ to) >> 6 == 0;
  if (!LIKELY(one_line && l1_is_newest(&watch.first_level[own_number(cpu)], from, is_store(info)))) go_on_group(cpu, info, address, data);
}

HOT void on_group(unsigned cpu, uint32_t info, uint64_t address, void *data) { accessed_group(cpu, info, address, data); }

HOT void on_group_alone(unsigned cpu, uint32_t info, uint64_t address, void *data) {
  (void)cpu;
  accessed_group(0, info, address, data);
}
