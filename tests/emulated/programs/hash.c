// A hash table with linear probing: half of it is filled, then looked up at random, half of the keys being there.
//   hash SLOTS_LOG2 LOOKUPS
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct { uint64_t key, value; } Slot;

static uint64_t mix(uint64_t x) {
  x = (x ^ x >> 31) * 0x7fb5d329728ea185u;
  return (x ^ x >> 27) * 0x81dadef4bc2dd44du;
}

static Slot *find(Slot *slots, size_t mask, uint64_t key) {
  size_t at = mix(key) & mask;
  while (slots[at].key != 0 && slots[at].key != key) at = (at + 1) & mask;
  return &slots[at];
}

int main(int count, char **args) {
  if (count != 3) return 2;
  const size_t slots = (size_t)1 << strtoul(args[1], NULL, 10), keys = slots / 2;
  Slot *table = calloc(slots, sizeof *table);
  uint64_t sum = 0;
  for (uint64_t key = 1; key <= keys; key++) *find(table, slots - 1, 2 * key) = (Slot){ 2 * key, key };
  for (uint64_t i = strtoul(args[2], NULL, 10); i > 0; i--) sum += find(table, slots - 1, 1 + mix(i) % (2 * keys))->value;
  printf("%lu\n", (unsigned long)sum);
  return 0;
}
