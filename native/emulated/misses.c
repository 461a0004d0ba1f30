// What missed the first level, in the order it did: looked up in the last level in batches, so that the sets of the model, asked for
// when a line is queued, have arrived from memory when their turn comes.

#include "watch.h"

/** Sets are drawn by a hash of their index, so that strides of powers of two do not all fall beside the sample. */
static inline bool is_sampled(uint64_t line) {
  return watch.sample_shift == 0 || (llc_set(&watch.llc, line) * 0x9e3779b1u) >> (32 - watch.sample_shift) == 0;
}

static inline void look_up(Recorder *r, uint64_t line, bool writes, int pattern) {
  const Llc *llc = &watch.llc;
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
static void soil(Recorder *r, uint64_t line) {
  const Llc *llc = &watch.llc;
  if (watch.threaded) llc_lock(llc, line);
  const uint32_t place = llc_soil(llc, line);
  if (watch.threaded) llc_unlock(llc, line);
  for (int size = 0; size < SIZES && place >= llc->ways[size]; size++) chunk_of(r, &watch.output, line)->back[size]++;
}

/** With the recorder's lock. */
static void take_queued(Recorder *r) {
  for (uint32_t i = 0; i < r->queued; i++) {
    const Queued *one = &r->queue[i];
    const uint64_t line = one->line >> KIND_BITS;
    if (one->line & SOILS) {
      if (is_sampled(line)) soil(r, line);
      continue;
    }
    const int pattern = pattern_of(r, line, one->instruction);
    if (is_sampled(line)) look_up(r, line, one->line & WRITES, pattern);
  }
  r->queued = 0;
}

static void lock(Recorder *r) { while (__atomic_exchange_n(&r->locked, true, __ATOMIC_ACQUIRE)) continue; }
static void unlock(Recorder *r) { __atomic_store_n(&r->locked, false, __ATOMIC_RELEASE); }

void drain(Recorder *r) {
  lock(r);
  take_queued(r);
  unlock(r);
}

void end_epoch(Recorder *r, bool is_own) {
  lock(r);
  if (is_own) take_queued(r);
  cut(r, &watch.output, instructions_of(r));
  unlock(r);
}

void end_all_epochs(unsigned cpu) {
  for (int i = 0; i < THREADS; i++) end_epoch(&watch.recorders[i], &watch.recorders[i] == recorder_of(cpu));
}
