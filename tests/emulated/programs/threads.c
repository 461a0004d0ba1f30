// Threads that each read their own array, a forked child that reads one more, and an anonymous mapping that goes again.
//   threads THREADS MIB PASSES
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static size_t bytes;
static unsigned long passes;

static void *run(void *unused) {
  (void)unused;
  char *array = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  volatile char sum = 0;
  memset(array, 1, bytes);
  for (unsigned long pass = 0; pass < passes; pass++) for (size_t i = 0; i < bytes; i += 64) sum += array[i];
  munmap(array, bytes);
  return NULL;
}

int main(int count, char **args) {
  if (count != 4) return 2;
  pthread_t threads[16];
  const int many = atoi(args[1]);
  bytes = strtoul(args[2], NULL, 10) << 20;
  passes = strtoul(args[3], NULL, 10);
  for (int i = 0; i < many; i++) pthread_create(&threads[i], NULL, run, NULL);
  for (int i = 0; i < many; i++) pthread_join(threads[i], NULL);
  fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    run(NULL);
    _exit(0);
  }
  int status;
  waitpid(child, &status, 0);
  printf("%d %d\n", many, status);
  return 0;
}
