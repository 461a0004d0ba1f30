// A pointer chase over lines in random order: every load waits for the one before.
//   chase MIB STEPS
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct { uint64_t next; char rest[56]; } Line;

int main(int count, char **args) {
  if (count != 3) return 2;
  const size_t lines = strtoul(args[1], NULL, 10) << 14;
  Line *line = aligned_alloc(4096, lines * sizeof *line);
  uint64_t state = 1, at = 0;
  for (size_t i = 0; i < lines; i++) line[i].next = i;
  // Sattolo's shuffle: one cycle through all lines.
  for (size_t i = lines - 1; i > 0; i--) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const size_t other = (state >> 33) % i;
    const uint64_t next = line[i].next;
    line[i].next = line[other].next;
    line[other].next = next;
  }
  for (unsigned long step = strtoul(args[2], NULL, 10); step > 0; step--) at = line[at].next;
  printf("%lu\n", (unsigned long)at);
  return 0;
}
