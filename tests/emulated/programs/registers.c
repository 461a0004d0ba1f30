// Loads and stores by registers that change between them in as many ways as instructions know: each touches a page of its own, so that an
// address taken to be the one before costs a line. Then accesses that cross lines.
//   registers ROUNDS
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { WAYS = 17, PAGE = 4096 };

// rbx = p, rcx = q = p + PAGE, rdx = PAGE (p is even in pages).
#define WAY(text)                                                                                                     \
  do {                                                                                                                \
    uint64_t base = at, other = at + PAGE, step = PAGE;                                                               \
    __asm__ volatile("movzbl (%%rbx), %%eax\n\t" text "\n\tmovzbl (%%rbx), %%eax"                                      \
                     : "+b"(base), "+c"(other), "+d"(step)::"rax", "rsi", "xmm0", "cc", "memory");                    \
    at += 2 * PAGE;                                                                                                   \
  } while (0)
// The same by an index.
#define INDEX(text)                                                                                                   \
  do {                                                                                                                \
    uint64_t index = 1;                                                                                               \
    __asm__ volatile("movb $1, -1(%1, %0)\n\t" text "\n\tmovb $1, -1(%1, %0)" : "+d"(index) : "b"(at) : "rax", "cc", "memory"); \
    at += 2 * PAGE;                                                                                                   \
  } while (0)

int main(int count, char **args) {
  if (count != 2) return 2;
  const unsigned long rounds = strtoul(args[1], NULL, 10);
  char *memory = aligned_alloc(2 * PAGE, (rounds * WAYS * 2 + 2) * PAGE);
  uint64_t at = (uint64_t)memory;
  for (unsigned long round = 0; round < rounds; round++) {
    WAY("mov %%rcx, %%rbx");
    WAY("add $4096, %%rbx");
    WAY("lea 4096(%%rbx), %%rbx");
    WAY("sub $-4096, %%rbx");
    WAY("xchg %%rcx, %%rbx");
    WAY("push %%rcx\n\tpop %%rbx");
    WAY("or %%rdx, %%rbx");
    WAY("xor %%rdx, %%rbx");
    WAY("xor %%eax, %%eax\n\tcmove %%rcx, %%rbx");
    WAY("movq %%rcx, %%xmm0\n\tmovq %%xmm0, %%rbx");
    WAY("movq %%rcx, %%xmm0\n\tpextrq $0, %%xmm0, %%rbx");
    WAY("imul $1, %%rcx, %%rbx");
    WAY("xadd %%rdx, %%rbx");
    WAY("rorx $0, %%rcx, %%rbx");
    WAY("mov $0x10, %%bh");
    INDEX("shl $12, %0\n\tinc %0");
    INDEX("mov $4097, %%edx");
  }
  // Twelve bytes in pieces, over the ends of all lines in turn.
  uint64_t sum = 0;
  const uint64_t end = (uint64_t)memory + rounds * WAYS * 2 * PAGE - 64;
  for (at = (uint64_t)memory; at < end; at += 68) {
    __asm__ volatile("add (%1), %0\n\tadd 8(%1), %k0\n\tadd 4(%1), %k0" : "+r"(sum) : "r"(at));
  }
  printf("%lu\n", (unsigned long)sum);
  return 0;
}
