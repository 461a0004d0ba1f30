#include "loops.h"

#include <sys/mman.h>

#include <vector>

#include "clock.h"

namespace nibblemark {

void countedLoop(uint64_t rounds) {
#if defined(__x86_64__)
  __asm__ volatile("1: dec %0\n jnz 1b" : "+r"(rounds) : : "cc");
#elif defined(__aarch64__)
  __asm__ volatile("1: subs %0, %0, #1\n b.ne 1b" : "+r"(rounds) : : "cc");
#elif defined(__riscv)
  __asm__ volatile("1: addi %0, %0, -1\n bnez %0, 1b" : "+r"(rounds));
#else
  for (volatile uint64_t left = rounds; left > 0; left = left - 1) {
  }
#endif
}

double chaseLines(size_t bytes, uint64_t steps) {
  constexpr size_t kWords = 8;
  const size_t lines = bytes / 64;
  void* map = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (map == MAP_FAILED || lines < 2) return 0;
  auto* memory = static_cast<uint64_t*>(map);
  // Sattolo's shuffle: one cycle through all lines.
  std::vector<uint32_t> order(lines);
  for (size_t i = 0; i < lines; i++) order[i] = static_cast<uint32_t>(i);
  uint64_t random = 88172645463325252u;
  for (size_t i = lines - 1; i > 0; i--) {
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    std::swap(order[i], order[random % i]);
  }
  for (size_t i = 0; i < lines; i++) memory[i * kWords] = order[i] * kWords;
  uint64_t at = 0;
  const uint64_t start = nowNs();
  for (uint64_t step = 0; step < steps; step++) at = memory[at];
  const uint64_t ns = nowNs() - start;
  const volatile uint64_t end = at;
  (void)end;
  munmap(map, bytes);
  return static_cast<double>(ns) / static_cast<double>(steps);
}

}  // namespace nibblemark
