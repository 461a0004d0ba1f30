// What missed the first level, in the order it did. Lines of a pattern are looked up in the last level in batches, so that the sets of
// the model, asked for when a line is queued, have arrived from memory when their turn comes. A line of no pattern is looked up at
// once: the program's own wait for it hides the work.

#include "watch.h"

/** Sets are drawn by a hash of their index, so that strides of powers of two do not all fall beside the sample. */
static inline bool is_sampled(uint64_t line) {
  return watch.sample_shift == 0 || (llc_set(&watch.llc, line) * 0x9e3779b1u) >> (32 - watch.sample_shift) == 0;
}

static inline void look_up(Recorder *r, const Llc *llc, uint64_t line, bool writes, int pattern) {
  WrittenBack back;
  if (watch.threaded) llc_lock(llc, line);
  const uint32_t place = llc_access(llc, line, writes, &back);
  if (watch.threaded) llc_unlock(llc, line);
  if (place < llc->ways[0]) return;
  const int largest = (place >= llc->ways[1]) + (place >= llc->ways[2]);
  const uint32_t bits = watch.output.chunk_bits;
  Chunk *chunk = chunk_of(r, bits, line);
  chunk->missed[largest][pattern]++;
  chunk->stores[largest] += writes;
  if (!back.any) return;
  for (int size = 0; size <= largest; size++) {
    if (back.any >> size & 1) chunk_of(r, bits, back.line[size])->back[size]++;
  }
}

/** A line that was read becomes dirty; what no longer has it below will be written to memory from the first level. */
static void soil(Recorder *r, const Llc *llc, uint64_t line) {
  if (watch.threaded) llc_lock(llc, line);
  const uint32_t place = llc_soil(llc, line);
  if (watch.threaded) llc_unlock(llc, line);
  for (int size = 0; size < SIZES && place >= llc->ways[size]; size++) chunk_of(r, watch.output.chunk_bits, line)->back[size]++;
}

static inline void take(Recorder *r, const Llc *llc, uint64_t queued) {
  const uint64_t line = queued >> KIND_BITS;
  if (queued & SOILS) soil(r, llc, line);
  else look_up(r, llc, line, queued & WRITES, (int)(queued >> PATTERN_BIT & 3));
}

/** With the recorder's lock. */
static void take_queued(Recorder *r) {
  // A copy is not written by what is taken.
  const Llc llc = watch.llc;
  for (uint32_t i = 0; i < r->queued; i++) take(r, &llc, r->queue[i]);
  r->queued = 0;
}

static inline void lock(Recorder *r) { while (__atomic_exchange_n(&r->locked, true, __ATOMIC_ACQUIRE)) continue; }
static inline void unlock(Recorder *r) { __atomic_store_n(&r->locked, false, __ATOMIC_RELEASE); }

void drain(Recorder *r) {
  lock(r);
  take_queued(r);
  unlock(r);
}

void take_or_queue(Recorder *r, uint64_t line, unsigned kind) {
  if (!is_sampled(line)) return;
  const uint64_t one = line << KIND_BITS | kind;
  if ((r->queued == 0 && kind >> PATTERN_BIT == IRREGULAR) || r == &watch.recorders[CROWD]) {
    if (watch.threaded) lock(r);
    take(r, &watch.llc, one);
    if (watch.threaded) unlock(r);
    return;
  }
  llc_prefetch(&watch.llc, line);
  r->queue[r->queued] = one;
  if (++r->queued == QUEUE) drain(r);
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
