// A program whose first thread ends while two others go on: `leaderless SECONDS`. One writes over 32 MiB, the other reads it, until
// the time is over. What it prints at its end tells that nothing was lost.
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { WORDS = 4 << 20 };
static uint64_t *memory;
static double end;
static atomic_int left = 2;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void *work(void *writes) {
  uint64_t sum = 0;
  while (now() < end) {
    for (size_t i = 0; i < WORDS; i++) {
      if (writes) __atomic_store_n(&memory[i], i, __ATOMIC_RELAXED);
      else sum += __atomic_load_n(&memory[i], __ATOMIC_RELAXED);
    }
  }
  if (atomic_fetch_sub(&left, 1) == 1) printf("both ended\n");
  return (void *)sum;
}

int main(int count, char **args) {
  if (count != 2) return 2;
  end = now() + atof(args[1]);
  memory = calloc(WORDS, sizeof *memory);
  pthread_t threads[2];
  for (int i = 0; i < 2; i++) pthread_create(&threads[i], NULL, work, i == 0 ? memory : NULL);
  pthread_exit(NULL);
}
