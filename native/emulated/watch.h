// What the parts of the plugin share: caches, counters and where epochs go.
#ifndef NIBBLEMARK_WATCH_H
#define NIBBLEMARK_WATCH_H

#include "cache.h"
#include "qemu.h"
#include "recorder.h"

/** Those of the last number are shared by all threads beyond; nothing waits in that queue. */
enum { THREADS = 256, CROWD = THREADS - 1 };

/** The line that an instruction touched last, and how often the first level had missed then. */
typedef struct { uint64_t line, misses; } Last;

/** Accesses of one kind that one callback tells of: the first byte before and the last behind its address. */
typedef struct {
  Last last[1];
  int64_t from, to;
} Group;

typedef struct {
  L1 first_level[THREADS];
  Recorder recorders[THREADS];
  Llc llc;
  Output output;
  uint32_t l1_ways;
  /** One callback for accesses that lie known distances apart; 0: one for each. */
  uint32_t groups;
  uint64_t epoch_instructions;
  /** One of 2^n sets of the last-level cache is followed, and what it counts stands for all. */
  uint32_t sample_shift;
  /** Instructions of the time when there was one thread, number 0. */
  uint64_t alone_instructions;
  bool threaded;
  /** QEMU keeps what it translates from here on for all threads that there may be. */
  bool for_threads;
  /** The processor has registers whose upper halves, once used, make every older SSE instruction slow. */
  bool has_wide_registers;
} Watch;

extern Watch watch;
extern bool is_arm;

static inline unsigned own_number(unsigned cpu) { return cpu < CROWD ? cpu : CROWD; }

static inline Recorder *recorder_of(unsigned cpu) { return &watch.recorders[own_number(cpu)]; }

static inline uint64_t instructions_of(const Recorder *r) {
  return r->instructions + (r == watch.recorders ? watch.alone_instructions : 0);
}

on_access on_memory, on_memory_alone, on_group, on_group_alone;
on_syscall before_syscall;
on_syscall_return after_syscall;
bool touches_stack_top(const plugin_insn *);
/** Looks a line up in the last level, or puts it behind what is queued; `kind` with its pattern. */
void take_or_queue(Recorder *, uint64_t line, unsigned kind);
/** Looks up what is queued. */
void drain(Recorder *);
/** Writes an epoch and begins the next. What another thread has queued stays where it is. */
void end_epoch(Recorder *, bool is_own);
/** Writes what every thread has counted so far. */
void end_all_epochs(unsigned cpu);

#endif
