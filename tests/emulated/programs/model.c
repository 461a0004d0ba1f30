// The cache model alone, without first level and with one set, over a trace on stdin: one access a line, LINE WRITES(0|1).
//   model WAYS WAYS WAYS      prints for each size: lines fetched, lines written back
#include <stdio.h>
#include "../../../native/emulated/cache.h"

int main(int count, char **args) {
  if (count != 4) return 2;
  uint32_t ways[SIZES];
  for (int i = 0; i < SIZES; i++) ways[i] = (uint32_t)atoi(args[i + 1]);
  Llc llc;
  llc_open(&llc, 1, ways);
  unsigned long line, fetched[SIZES] = {0}, back[SIZES] = {0};
  int writes;
  while (scanf("%lu %d", &line, &writes) == 2) {
    WrittenBack written;
    const uint32_t place = llc_access(&llc, line, writes, &written);
    for (int i = 0; i < SIZES && place >= ways[i]; i++) {
      fetched[i]++;
      back[i] += written.any >> i & 1;
    }
  }
  for (int i = 0; i < SIZES; i++) printf("%lu %lu\n", fetched[i], back[i]);
  return 0;
}
