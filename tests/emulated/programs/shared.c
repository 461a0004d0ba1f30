// Walks an array, then threads walk theirs with the same code: all of it was translated after a mapping shared with other processes
// appeared and before there was a second thread.
//   shared THREADS MIB PASSES
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { MOST = 400 };
static size_t bytes;
static unsigned long passes;
static pthread_barrier_t all_here;

static void walk(void) {
  char *array = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  volatile char sum = 0;
  for (size_t i = 0; i < bytes; i += 64) array[i] = 1;
  for (unsigned long pass = 0; pass < passes; pass++) for (size_t i = 0; i < bytes; i += 64) sum += array[i];
  munmap(array, bytes);
}

static void *run(void *unused) {
  (void)unused;
  pthread_barrier_wait(&all_here);
  walk();
  // So all numbers of threads are taken at once.
  pthread_barrier_wait(&all_here);
  return NULL;
}

int main(int count, char **args) {
  if (count != 4) return 2;
  static pthread_t threads[MOST];
  const int many = atoi(args[1]);
  if (many > MOST) return 2;
  bytes = strtoul(args[2], NULL, 10) << 20;
  passes = strtoul(args[3], NULL, 10);
  if (mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) == MAP_FAILED) return 1;
  walk();
  pthread_barrier_init(&all_here, NULL, (unsigned)many);
  for (int i = 0; i < many; i++) if (pthread_create(&threads[i], NULL, run, NULL) != 0) return 1;
  for (int i = 0; i < many; i++) pthread_join(threads[i], NULL);
  printf("%d\n", many);
  return 0;
}
