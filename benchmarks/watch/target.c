// What `npm run speed -- watch` watches. `target MB STEPS`: a pointer chase of STEPS thousand steps and as long a stream over MB
// megabytes. `target clock MS`: looks at the clock for MS ms of its own processor time. Prints wall ns, processor ns, ns in which it could not look (gaps over 20 us),
// and of these the ns it waited for a core.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define GAP_NS 20000

static uint64_t now(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static uint64_t waitedForCore(void) {
  unsigned long long ran = 0, waited = 0;
  FILE* file = fopen("/proc/self/schedstat", "r");
  if (!file || fscanf(file, "%llu %llu", &ran, &waited) != 2) waited = 0;
  if (file) fclose(file);
  return waited;
}

static uint64_t work(const uint64_t* memory, uint32_t lines, int thousands) {
  uint64_t at = 0, sum = 0, word = 0;
  for (int round = 0; round < thousands; round++) {
    for (int step = 0; step < 1000; step++) at = memory[at];
    for (int step = 0; step < 20000; step++) {
      sum += memory[word++];
      if (word == (uint64_t)lines * 8) word = 0;
    }
  }
  return at + sum;
}

static uint64_t watchClock(uint64_t cpuNs) {
  uint64_t gaps = 0, last = now(CLOCK_MONOTONIC);
  const uint64_t end = now(CLOCK_THREAD_CPUTIME_ID) + cpuNs;
  for (uint32_t looks = 0;; looks++) {
    const uint64_t time = now(CLOCK_MONOTONIC);
    if (time - last > GAP_NS) gaps += time - last;
    last = time;
    if (looks % 1024 == 0 && now(CLOCK_THREAD_CPUTIME_ID) >= end) return gaps;
  }
}

// One cycle through all lines (Sattolo).
static uint64_t* shuffled(uint32_t lines) {
  uint64_t* memory = calloc(lines, 64);
  uint32_t* order = malloc(lines * sizeof *order);
  if (!memory || !order) exit(1);
  for (uint32_t i = 0; i < lines; i++) order[i] = i;
  uint64_t random = 88172645463325252u;
  for (uint32_t i = lines - 1; i > 0; i--) {
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    const uint32_t other = (uint32_t)(random % i), mine = order[i];
    order[i] = order[other];
    order[other] = mine;
  }
  for (uint32_t i = 0; i < lines; i++) memory[(uint64_t)i * 8] = (uint64_t)order[i] * 8;
  return memory;
}

int main(int count, char** args) {
  if (count != 3) return 2;
  const int amount = atoi(args[2]), clocks = strcmp(args[1], "clock") == 0;
  // All of its time is timed where it only looks at the clock, so that every stop falls into it.
  const uint32_t lines = clocks ? 0 : (uint32_t)atoi(args[1]) << 14;
  uint64_t* memory = clocks ? NULL : shuffled(lines);
  const uint64_t waited = waitedForCore(), cpu = now(CLOCK_THREAD_CPUTIME_ID), start = now(CLOCK_MONOTONIC);
  uint64_t gaps = 0, result = 0;
  if (clocks) gaps = watchClock((uint64_t)amount * 1000000u);
  else result = work(memory, lines, amount);
  const uint64_t wallNs = now(CLOCK_MONOTONIC) - start, cpuNs = now(CLOCK_THREAD_CPUTIME_ID) - cpu;
  printf("%llu %llu %llu %llu\n", (unsigned long long)wallNs, (unsigned long long)cpuNs, (unsigned long long)gaps,
         (unsigned long long)(waitedForCore() - waited));
  return result == 1 ? 3 : 0;
}
