// Counts and writes epochs; see recorder.h.

#include "recorder.h"
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FIRST_PLACES = 256, ROW_ROOM = 320, HEAD_ROOM = 1024 };

static uint32_t place_of(const Chunk *chunks, uint32_t places, uint64_t key) {
  uint32_t place = (uint32_t)(key * 0x9e3779b97f4a7c15u >> 32) & (places - 1);
  while (chunks[place].key != 0 && chunks[place].key != key) place = (place + 1) & (places - 1);
  return place;
}

static void grow(Recorder *r) {
  const uint32_t places = r->places ? 2 * r->places : FIRST_PLACES;
  Chunk *chunks = calloc(places, sizeof *chunks);
  for (uint32_t i = 0; i < r->places; i++) {
    if (r->chunks[i].key) chunks[place_of(chunks, places, r->chunks[i].key)] = r->chunks[i];
  }
  free(r->chunks);
  r->chunks = chunks;
  r->places = places;
  memset(r->known, 0, sizeof r->known);
}

Chunk *find_chunk(Recorder *r, uint64_t key) {
  if (4 * (r->used + 1) > 3 * r->places) grow(r);
  Chunk *chunk = &r->chunks[place_of(r->chunks, r->places, key)];
  if (chunk->key == 0) {
    chunk->key = key;
    r->used++;
  }
  return r->known[known_place(key)] = chunk;
}

void write_line(const Output *output, const char *text, size_t length) {
  while (length > 0) {
    const ssize_t written = write(output->file, text, length);
    if (written <= 0) return;
    text += written;
    length -= (size_t)written;
  }
}

bool open_output(Output *output) {
  char path[PATH_MAX];
  if (output->child) snprintf(path, sizeof path, "%s.%d", output->path, (int)getpid());
  else snprintf(path, sizeof path, "%s", output->path);
  const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
  if (file < 0) return false;
  if (output->file >= 0) close(output->file);
  // Out of the way of the program's own files, which count from 0.
  const int high = fcntl(file, F_DUPFD_CLOEXEC, 512);
  output->file = high >= 0 ? high : file;
  if (high >= 0) close(file);
  return true;
}

void begin_output(const Output *output, const Llc *llc, uint32_t sample_shift, uint64_t epoch_instructions) {
  char text[512];
  const uint64_t lines = llc->sets;
  const int length = sprintf(text,
    "{\"kind\":\"emulated\",\"schemaVersion\":1,\"pid\":%d,\"cacheBytes\":[%" PRIu64 ",%" PRIu64 ",%" PRIu64 "],"
    "\"chunkBytes\":%" PRIu64 ",\"sampled\":%u,\"epochInstructions\":%" PRIu64 "}\n",
    (int)getpid(), lines * llc->ways[0] * 64, lines * llc->ways[1] * 64, lines * llc->ways[2] * 64,
    (uint64_t)1 << output->chunk_bits, 1u << sample_shift, epoch_instructions);
  write_line(output, text, (size_t)length);
}

/** Per size: stream, stride, irregular, written back, fetched for stores. What missed a larger size missed the smaller ones too. */
static int numbers(char *to, const Chunk *chunk) {
  int length = 0;
  uint32_t sums[SIZES][PATTERNS + 1] = {0};
  for (int size = SIZES - 1; size >= 0; size--) {
    const uint32_t *larger = size + 1 < SIZES ? sums[size + 1] : (const uint32_t[PATTERNS + 1]){0};
    for (int i = 0; i < PATTERNS; i++) sums[size][i] = larger[i] + chunk->missed[size][i];
    sums[size][PATTERNS] = larger[PATTERNS] + chunk->stores[size];
  }
  for (int size = 0; size < SIZES; size++) {
    const uint32_t *n = sums[size];
    length += sprintf(to + length, ",%u,%u,%u,%u,%u", n[STREAM], n[STRIDE], n[IRREGULAR], chunk->back[size], n[PATTERNS]);
  }
  return length;
}

void forget(Recorder *r, uint64_t total) {
  r->began = total;
  r->l1_misses_before = r->l1_misses;
  if (r->places) memset(r->chunks, 0, r->places * sizeof *r->chunks);
  r->used = 0;
  memset(r->known, 0, sizeof r->known);
}

void cut(Recorder *r, const Output *output, uint64_t total) {
  if (total == r->began && r->l1_misses == r->l1_misses_before) return;
  if (r->thread == 0) r->thread = (int32_t)syscall(SYS_gettid);
  char *text = malloc(HEAD_ROOM + (size_t)r->used * ROW_ROOM);
  int length = sprintf(text, "{\"epoch\":%" PRIu64 ",\"thread\":%d,\"instructions\":%" PRIu64 ",\"l1Misses\":%" PRIu64 ",\"chunks\":[",
                       r->index++, r->thread, total - r->began, r->l1_misses - r->l1_misses_before);
  for (uint32_t i = 0, written = 0; i < r->places; i++) {
    if (!r->chunks[i].key) continue;
    length += sprintf(text + length, "%s[%" PRIu64, written++ ? "," : "", r->chunks[i].key - 1);
    length += numbers(text + length, &r->chunks[i]);
    text[length++] = ']';
  }
  length += sprintf(text + length, "]}\n");
  write_line(output, text, (size_t)length);
  free(text);
  forget(r, total);
}
