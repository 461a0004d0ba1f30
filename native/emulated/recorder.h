// What one thread of the watched program did in its current epoch: lines that missed each size of the cache, by pattern and by chunk
// of addresses. An epoch is one line of JSON; docs/emulated.md is its specification.
#ifndef NIBBLEMARK_RECORDER_H
#define NIBBLEMARK_RECORDER_H

#include <stdbool.h>
#include <stdint.h>
#include "cache.h"

enum { STREAM, STRIDE, IRREGULAR, PATTERNS };
enum { RECENT = 256, KNOWN = 1024, QUEUE = 128 };
/** What was asked of a line: loads miss, stores miss, stores soil a line that the first level has clean. */
enum { WRITES = 1, SOILS = 2, PATTERN_BIT = 2, KIND_BITS = 4 };

/** What happened to the lines of a chunk of addresses. */
typedef struct {
  /** Chunk + 1; 0 = free. */
  uint64_t key;
  /** [size, pattern]: lines that missed this size and smaller ones, but no larger one; of them, what stores asked for. */
  uint32_t missed[SIZES][PATTERNS], stores[SIZES];
  /** [size]: lines that were written back. */
  uint32_t back[SIZES];
} Chunk;

typedef struct {
  /** 0 before the thread has shown itself. */
  int32_t thread;
  uint64_t index;
  /** Instructions counted by this thread itself, and their number when the epoch began. */
  uint64_t instructions, began;
  uint64_t l1_misses, l1_misses_before;
  /** Open addressing, a power of two of places; and where chunks of late lie. */
  Chunk *chunks, *known[KNOWN];
  uint32_t places, used;
  /** First-level misses of late, by line and by instruction. */
  uint64_t recent[RECENT];
  struct { uint64_t line; int64_t step; } at[RECENT];
  /** Line << KIND_BITS | pattern << PATTERN_BIT | kind. Only its own thread puts in; who takes out, or cuts, holds the lock. */
  uint64_t queue[QUEUE];
  uint32_t queued;
  bool locked;
} Recorder;

typedef struct {
  int file;
  uint32_t chunk_bits;
  const char *path;
  /** A child after a fork: its file is `path.PID`. */
  bool child;
} Output;

/** Opens the file anew; false when it cannot be written. */
bool open_output(Output *);
/** Writes the first line: what is modelled. */
void begin_output(const Output *, const Llc *, uint32_t sample_shift, uint64_t epoch_instructions);
/** Spreads lines of arrays that lie a power of two apart. */
static inline uint32_t slot_of(uint64_t key) { return (uint32_t)(key * 0x9e3779b97f4a7c15u >> 56) % RECENT; }

/** How a line was come to: beside a line of just before, as far on as the last time, or neither. */
static inline int pattern_of(Recorder *r, uint64_t line, uint64_t instruction) {
  const bool beside = r->recent[slot_of(line - 1)] == line - 1 || r->recent[slot_of(line + 1)] == line + 1;
  r->recent[slot_of(line)] = line;
  const uint32_t own = slot_of(instruction);
  const int64_t step = (int64_t)(line - r->at[own].line);
  const bool same = step == r->at[own].step;
  r->at[own].line = line;
  r->at[own].step = step;
  return beside ? STREAM : same ? STRIDE : IRREGULAR;
}

static inline uint32_t known_place(uint64_t key) { return (uint32_t)(key * 0x9e3779b97f4a7c15u >> 32) % KNOWN; }

Chunk *find_chunk(Recorder *, uint64_t key);

/** Counters of the chunk that a line lies in. */
static inline Chunk *chunk_of(Recorder *r, uint32_t chunk_bits, uint64_t line) {
  const uint64_t key = (line >> (chunk_bits - 6)) + 1;
  Chunk *known = r->known[known_place(key)];
  return known && known->key == key ? known : find_chunk(r, key);
}

/** Writes the epoch as one line and begins the next; `total` = instructions of the thread until now. */
void cut(Recorder *, const Output *, uint64_t total);
/** Forgets the epoch, after a fork for one. */
void forget(Recorder *, uint64_t total);
/** Writes a whole line of text, so that threads do not mix theirs. */
void write_line(const Output *, const char *text, size_t length);

#endif
