// Sorts random numbers by merging. Both arrays lie in one aligned block, so that caches of few ways see the same conflicts wherever
// the system puts it.
//   sort NUMBERS
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 1 << 24 };

static void sort(uint32_t *numbers, uint32_t *spare, size_t length) {
  if (length < 2) return;
  const size_t half = length / 2;
  sort(numbers, spare, half);
  sort(numbers + half, spare, length - half);
  memcpy(spare, numbers, half * sizeof *spare);
  for (size_t left = 0, right = half, to = 0; left < half; to++) {
    if (right < length && numbers[right] < spare[left]) numbers[to] = numbers[right++];
    else numbers[to] = spare[left++];
  }
}

int main(int count, char **args) {
  if (count != 2) return 2;
  const size_t length = strtoul(args[1], NULL, 10), bytes = 2 * length * sizeof(uint32_t);
  uint32_t *numbers = aligned_alloc(ALIGNMENT, (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
  uint64_t state = 1;
  for (size_t i = 0; i < length; i++) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    numbers[i] = (uint32_t)(state >> 32);
  }
  sort(numbers, numbers + length, length);
  for (size_t i = 1; i < length; i++) if (numbers[i - 1] > numbers[i]) return 1;
  printf("%u\n", numbers[length / 2]);
  return 0;
}
