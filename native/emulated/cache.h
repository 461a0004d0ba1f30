// The cache model: a last-level cache of sets with true LRU order behind a first-level cache for each thread. Caches that differ in
// ways only hold each other's lines (Mattson et al. 1970, stack algorithms), so one pass gives the misses of three sizes. Writes
// fetch what misses and are written back when they leave, as in assembly/memory, which is this model with one set.
#ifndef NIBBLEMARK_CACHE_H
#define NIBBLEMARK_CACHE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#ifdef __SSE4_1__
#include <smmintrin.h>
#endif

/**
 * A set is a ring of its entries, newest first from `head` on, in blocks of 16 words; the last word is the head. A miss moves
 * the head back by one and overwrites the oldest.
 */
enum { BLOCK = 16, HEAD = 1 };

/** Bit i: word i of the first 4 * `fours` of a block is the tag, but for bits of `ignored`. */
static inline uint32_t matches(const uint32_t *block, uint32_t tag, uint32_t ignored, int fours) {
#ifdef __SSE4_1__
  const __m128i wanted = _mm_set1_epi32((int)tag), kept = _mm_set1_epi32((int)~ignored);
  __m128i found[4];
  for (int i = 0; i < 4; i++) {
    const __m128i four = i < fours ? _mm_load_si128((const __m128i *)block + i) : kept;
    found[i] = i < fours ? _mm_cmpeq_epi32(_mm_and_si128(four, kept), wanted) : _mm_setzero_si128();
  }
  const __m128i low = _mm_packs_epi32(found[0], found[1]), high = _mm_packs_epi32(found[2], found[3]);
  return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(low, high));
#else
  uint32_t bits = 0;
  for (int i = 0; i < 4 * fours; i++) bits |= (uint32_t)((block[i] & ~ignored) == tag) << i;
  return bits;
#endif
}

/** Index in the ring of the entry whose bits outside `ignored` are the tag; `depth` when there is none. */
static inline uint32_t ring_find(const uint32_t *set, uint32_t depth, uint32_t tag, uint32_t ignored) {
  if (depth < BLOCK) {
    const uint32_t bits = matches(set, tag, ignored, 4) & ((1u << depth) - 1);
    return bits ? (uint32_t)__builtin_ctz(bits) : depth;
  }
  for (uint32_t first = 0; first < depth; first += BLOCK) {
    uint32_t bits = matches(set + first, tag, ignored, 4);
    if (depth - first < BLOCK) bits &= (1u << (depth - first)) - 1;
    if (bits) return first + (uint32_t)__builtin_ctz(bits);
  }
  return depth;
}

static inline uint32_t ring_at(uint32_t head, uint32_t place, uint32_t depth) {
  const uint32_t index = head + place;
  return index >= depth ? index - depth : index;
}

/** Puts an entry first: the one at `place` moves there, or, with `place` = depth, the oldest is overwritten. */
static inline void ring_first(uint32_t *set, uint32_t *head, uint32_t place, uint32_t depth, uint32_t entry) {
  if (place == depth) *head = *head == 0 ? depth - 1 : *head - 1;
  else
    for (uint32_t to = ring_at(*head, place, depth); place > 0; place--) {
      const uint32_t from = to == 0 ? depth - 1 : to - 1;
      set[to] = set[from];
      to = from;
    }
  set[*head] = entry;
}

enum { SIZES = 3, DIRTY_BITS = 3, ALL_DIRTY = 7, LOCKS = 4096, HUGE_PAGE = 1 << 21 };

typedef struct {
  /** A power of two. */
  uint32_t sets;
  uint32_t set_bits;
  /** [SIZES] rising; the last is the depth of a ring. */
  uint32_t ways[SIZES];
  /** Words of a set. */
  uint32_t stride;
  /** [sets, stride]: tag << 3 | dirty in size 0, 1, 2; 0 = empty (tags count from 1). */
  uint32_t *entries;
  /** Several threads: a set's lock. */
  uint8_t *locks;
} Llc;

/** Dirty lines that left a size, by line address; `any`: bit i for size i. */
typedef struct {
  uint64_t line[SIZES];
  uint32_t any;
} WrittenBack;

static inline void llc_open(Llc *llc, uint32_t sets, const uint32_t ways[SIZES]) {
  llc->sets = sets;
  llc->set_bits = (uint32_t)__builtin_ctz(sets);
  memcpy(llc->ways, ways, sizeof llc->ways);
  llc->stride = (ways[SIZES - 1] + HEAD + BLOCK - 1) / BLOCK * BLOCK;
  const size_t bytes = (size_t)sets * llc->stride * sizeof *llc->entries;
  llc->entries = aligned_alloc(HUGE_PAGE, (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE);
  madvise(llc->entries, bytes, MADV_HUGEPAGE);
  memset(llc->entries, 0, bytes);
  llc->locks = calloc(LOCKS, 1);
}

static inline uint32_t llc_set(const Llc *llc, uint64_t line) { return (uint32_t)line & (llc->sets - 1); }

static inline uint32_t llc_tag(const Llc *llc, uint64_t line) {
  return ((uint32_t)(line >> llc->set_bits) + 1) << DIRTY_BITS;
}

static inline void llc_lock(const Llc *llc, uint64_t line) {
  while (__atomic_exchange_n(&llc->locks[llc_set(llc, line) % LOCKS], 1, __ATOMIC_ACQUIRE)) continue;
}

static inline void llc_unlock(const Llc *llc, uint64_t line) {
  __atomic_store_n(&llc->locks[llc_set(llc, line) % LOCKS], 0, __ATOMIC_RELEASE);
}

/** Asks for the set that `llc_access` will search. */
static inline void llc_prefetch(const Llc *llc, uint64_t line) {
  const uint32_t *set = llc->entries + (size_t)llc_set(llc, line) * llc->stride;
  __builtin_prefetch(set, 1);
}

/** Takes the dirty bit of a size off the entry that is about to leave it. */
static inline void llc_leave(const Llc *llc, uint32_t *entry, uint32_t set, int size, WrittenBack *back) {
  if (!(*entry >> size & 1)) return;
  back->any |= 1u << size;
  back->line[size] = ((uint64_t)((*entry >> DIRTY_BITS) - 1) << llc->set_bits) | set;
  *entry &= ~(1u << size);
}

/**
 * One access that missed the first level. Gives the place where the line was, 0 = newest: sizes of no more ways than that missed.
 * `back` is filled for those.
 */
static inline uint32_t llc_access(const Llc *llc, uint64_t line, bool writes, WrittenBack *back) {
  const uint32_t index = llc_set(llc, line), depth = llc->ways[SIZES - 1], tag = llc_tag(llc, line);
  uint32_t *set = llc->entries + (size_t)index * llc->stride, *head = &set[llc->stride - HEAD];
  const uint32_t found = ring_find(set, depth, tag, ALL_DIRTY);
  const uint32_t place = found == depth ? depth : ring_at(found, depth - *head, depth);
  uint32_t entry = writes ? tag | ALL_DIRTY : found == depth ? tag : set[found];
  back->any = 0;
  for (int size = 0; size < SIZES && place >= llc->ways[size]; size++) {
    if (!writes) entry &= ~(1u << size);
    llc_leave(llc, &set[ring_at(*head, llc->ways[size] - 1, depth)], index, size, back);
  }
  ring_first(set, head, place, depth, entry);
  return place;
}

/** A store to a line that the first level holds clean: the copies below become dirty. Gives the place, as `llc_access`. */
static inline uint32_t llc_soil(const Llc *llc, uint64_t line) {
  const uint32_t depth = llc->ways[SIZES - 1];
  uint32_t *set = llc->entries + (size_t)llc_set(llc, line) * llc->stride;
  const uint32_t found = ring_find(set, depth, llc_tag(llc, line), ALL_DIRTY);
  if (found == depth) return depth;
  const uint32_t place = ring_at(found, depth - set[llc->stride - HEAD], depth);
  for (int size = 0; size < SIZES; size++) if (place < llc->ways[size]) set[found] |= 1u << size;
  return place;
}

/**
 * First level of one thread: 64 sets of up to 12 ways. Order is kept by time stamps of a clock a set, as hits then write nothing
 * that the search loads; the newest line stands apart.
 */
enum { L1_SETS = 64, L1_MOST_WAYS = 12, L1_CLOCK = 12 };
typedef struct {
  /** [load, store; sets]: the line touched last; for stores only if it is dirty, else 0. */
  uint64_t newest[2][L1_SETS];
  /** [sets, 12 ways, clock, unused]: page number << 1 | dirty: 43 bits of address tell lines apart. */
  uint32_t tags[L1_SETS][BLOCK];
  /** [sets, ways]; of ways that are not used, the largest. */
  uint16_t stamps[L1_SETS][BLOCK];
} __attribute__((aligned(64))) L1;

static inline uint32_t l1_set(uint64_t address) { return (uint32_t)(address >> 6) % L1_SETS; }
static inline uint32_t l1_tag(uint64_t address) { return (uint32_t)(address >> 12) << 1; }

static inline void l1_open(L1 *l1, uint32_t ways) {
  memset(l1, 0, sizeof *l1);
  for (int set = 0; set < L1_SETS; set++) {
    for (uint32_t i = ways; i < BLOCK; i++) l1->stamps[set][i] = UINT16_MAX;
  }
}

/** The last line of its set that was touched, dirty if it must be. */
static inline bool l1_is_newest(const L1 *l1, uint64_t address, bool writes) {
  return l1->newest[writes][(address >> 6) % L1_SETS] == address >> 6;
}

static inline void l1_set_newest(L1 *l1, uint64_t address, bool dirty) {
  const uint64_t line = address >> 6;
  l1->newest[0][line % L1_SETS] = line;
  l1->newest[1][line % L1_SETS] = dirty ? line : 0;
}

/** A set's stamps begin again from their ranks. */
static __attribute__((noinline)) void l1_rewind(uint32_t *tags, uint16_t *stamps) {
  uint16_t ranks[BLOCK] = {0};
  for (int i = 0; i < BLOCK; i++) {
    for (int j = 0; j < BLOCK; j++) ranks[i] += stamps[j] < stamps[i];
    if (stamps[i] == UINT16_MAX) ranks[i] = UINT16_MAX;
  }
  memcpy(stamps, ranks, sizeof ranks);
  tags[L1_CLOCK] = BLOCK;
}

static inline void l1_stamp(L1 *l1, uint32_t set, uint32_t way) {
  uint32_t *tags = l1->tags[set];
  if (++tags[L1_CLOCK] == UINT16_MAX) l1_rewind(tags, l1->stamps[set]);
  l1->stamps[set][way] = (uint16_t)tags[L1_CLOCK];
}

/** A line that is there becomes the newest. Gives its tag as it was, or 0 when it is not there. */
static inline uint32_t l1_hit(L1 *l1, uint64_t address, bool writes) {
  const uint32_t set = l1_set(address);
  uint32_t *tags = l1->tags[set];
  const uint32_t bits = matches(tags, l1_tag(address), 1, 3);
  if (bits == 0) return 0;
  const uint32_t way = (uint32_t)__builtin_ctz(bits), was = tags[way];
  if (writes && !(was & 1)) tags[way] = was | 1;
  l1_set_newest(l1, address, (was & 1) | writes);
  l1_stamp(l1, set, way);
  return was;
}

static inline uint32_t l1_oldest(const uint16_t *stamps) {
#ifdef __SSE4_1__
  const __m128i low = _mm_minpos_epu16(_mm_load_si128((const __m128i *)stamps));
  const __m128i high = _mm_minpos_epu16(_mm_load_si128((const __m128i *)stamps + 1));
  const bool upper = _mm_extract_epi16(high, 0) < _mm_extract_epi16(low, 0);
  return (uint32_t)_mm_extract_epi16(upper ? high : low, 1) + 8 * upper;
#else
  uint32_t oldest = 0;
  for (uint32_t i = 1; i < L1_MOST_WAYS; i++) oldest = stamps[i] < stamps[oldest] ? i : oldest;
  return oldest;
#endif
}

/** A line that is not there takes the place of the oldest. */
static inline void l1_fill(L1 *l1, uint64_t address, bool writes) {
  const uint32_t set = l1_set(address), way = l1_oldest(l1->stamps[set]);
  l1->tags[set][way] = l1_tag(address) | writes;
  l1_set_newest(l1, address, writes);
  l1_stamp(l1, set, way);
}

#endif
