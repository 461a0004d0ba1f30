// A program whose lines are known by region: each turn streams some of A, chases some of B and writes some of C, one after another
// and round and round; a fourth, D, is small and hot. Prints their addresses and bytes, works until SIGTERM, then prints lines of A,
// B, C and the ns of processor time that they took.
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#define MIB (1u << 20)
#define EDGE (2ull * MIB)
enum { A_LINES = 512, B_LINES = 100, C_LINES = 128, HOT_WORDS = 512 };

static volatile sig_atomic_t ended;
static void end(int number) { ended = number; }

static uint64_t* memory(const char* name, uint64_t bytes) {
  // Edges of no access keep the kernel from joining two mappings.
  char* whole = mmap(NULL, bytes + 2 * EDGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  uint64_t* words = (uint64_t*)(whole + EDGE);
  if (whole == MAP_FAILED || mprotect(words, bytes, PROT_READ | PROT_WRITE) != 0) exit(1);
  for (uint64_t i = 0; i < bytes / 8; i++) words[i] = i;
  printf("%s %llu %llu\n", name, (unsigned long long)(uintptr_t)words, (unsigned long long)bytes);
  return words;
}

// One cycle through all lines (Sattolo).
static void shuffle(uint64_t* words, uint64_t lines) {
  uint64_t* order = malloc(lines * sizeof *order);
  if (!order) exit(1);
  for (uint64_t i = 0; i < lines; i++) order[i] = i;
  uint64_t random = 88172645463325252u;
  for (uint64_t i = lines - 1; i > 0; i--) {
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    const uint64_t other = random % i, mine = order[i];
    order[i] = order[other];
    order[other] = mine;
  }
  for (uint64_t i = 0; i < lines; i++) words[i * 8] = order[i] * 8;
  free(order);
}

int main(void) {
  signal(SIGTERM, end);
  const uint64_t aWords = 96ull * MIB / 8, cWords = 32ull * MIB / 8;
  uint64_t *a = memory("A", 96ull * MIB), *b = memory("B", 48ull * MIB), *c = memory("C", 32ull * MIB), *d = memory("D", 4096);
  shuffle(b, 48ull * MIB / 64);
  printf("ready\n");
  fflush(stdout);
  uint64_t turns = 0, aAt = 0, bAt = 0, cAt = 0, sum = 0;
  struct timespec from, to;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
  for (; !ended; turns++) {
    for (int i = 0; i < A_LINES * 8; i++) sum += a[(aAt + i) % aWords];
    aAt = (aAt + A_LINES * 8) % aWords;
    for (int i = 0; i < B_LINES; i++) bAt = b[bAt];
    for (int i = 0; i < C_LINES * 8; i++) c[(cAt + i) % cWords] = sum;
    cAt = (cAt + C_LINES * 8) % cWords;
    for (int i = 0; i < HOT_WORDS; i++) d[i] += sum;
  }
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
  const double ns = (double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec);
  printf("%llu %llu %llu %.0f\n", (unsigned long long)turns * A_LINES, (unsigned long long)turns * B_LINES,
         (unsigned long long)turns * C_LINES, ns);
  return sum + bAt == 1;
}
