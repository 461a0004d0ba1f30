// A loop of two instructions a round, and what a program does beside its loops: for counters that must be exact.
//   loop ROUNDS            so many rounds, once
//   loop ROUNDS forever    again and again
//   loop ROUNDS MIB        fills so many MiB first and reads them again in each of 100 parts
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void loop(unsigned long rounds) {
  __asm__ volatile("1: subs %0, %0, #1\n\tb.ne 1b" : "+r"(rounds) : : "cc");
}

int main(int count, char **args) {
  if (count < 2) return 2;
  const unsigned long rounds = strtoul(args[1], NULL, 10);
  if (count == 2) loop(rounds);
  else if (!strcmp(args[2], "forever")) for (;;) loop(rounds);
  else {
    const size_t bytes = strtoul(args[2], NULL, 10) << 20;
    volatile char *memory = malloc(bytes);
    for (size_t i = 0; i < bytes; i += 64) memory[i] = 1;
    for (int part = 0; part < 100; part++) {
      loop(rounds / 100);
      for (size_t i = 0; i < bytes; i += 4096) (void)memory[i];
    }
  }
  printf("looped\n");
  return 0;
}
