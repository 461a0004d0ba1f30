// The triad a = b + 3 c over three arrays (McCalpin's STREAM), of NUMBER (double) as the compiler is told.
//   stream MIB_OF_ONE_ARRAY PASSES
#include <stdio.h>
#include <stdlib.h>

#ifndef NUMBER
#define NUMBER double
#endif

int main(int count, char **args) {
  if (count != 3) return 2;
  const size_t length = (strtoul(args[1], NULL, 10) << 20) / sizeof(NUMBER);
  NUMBER *a = aligned_alloc(4096, length * sizeof *a), *b = aligned_alloc(4096, length * sizeof *b);
  NUMBER *c = aligned_alloc(4096, length * sizeof *c);
  for (size_t i = 0; i < length; i++) {
    a[i] = 0;
    b[i] = (NUMBER)i;
    c[i] = (NUMBER)(i + 1);
  }
  for (unsigned long pass = strtoul(args[2], NULL, 10); pass > 0; pass--) {
    for (size_t i = 0; i < length; i++) a[i] = b[i] + 3 * c[i];
  }
  printf("%.0f\n", (double)a[length / 2]);
  return 0;
}
