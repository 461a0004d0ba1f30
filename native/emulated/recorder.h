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
enum { WRITES = 1, SOILS = 2, KIND_BITS = 2 };

/** Line << KIND_BITS | kind, and the instruction that touched it. */
typedef struct { uint64_t line, instruction; } Queued;

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
  /** Only its own thread puts in; who takes out, or cuts, holds the lock. */
  Queued queue[QUEUE];
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
/** How a line was come to: beside a line of just before, as far on as the last time, or neither. */
int pattern_of(Recorder *, uint64_t line, uint64_t instruction);
/** Counters of the chunk that a line lies in. */
Chunk *chunk_of(Recorder *, const Output *, uint64_t line);
/** Writes the epoch as one line and begins the next; `total` = instructions of the thread until now. */
void cut(Recorder *, const Output *, uint64_t total);
/** Forgets the epoch, after a fork for one. */
void forget(Recorder *, uint64_t total);
/** Writes a whole line of text, so that threads do not mix theirs. */
void write_line(const Output *, const char *text, size_t length);

#endif
