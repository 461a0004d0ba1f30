#include "clock.h"

#include <sys/prctl.h>

#include <ctime>

namespace nibblemark {

// A sleeping thread is woken some 40 us late; this much is waited actively.
constexpr uint64_t kSpinNs = 60000;

uint64_t nowNs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000u + static_cast<uint64_t>(now.tv_nsec);
}

uint64_t sleepUntil(uint64_t deadlineNs) {
  const uint64_t early = deadlineNs - (deadlineNs > kSpinNs ? kSpinNs : deadlineNs);
  if (early > nowNs()) {
    prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
    timespec until = {static_cast<time_t>(early / 1000000000u), static_cast<long>(early % 1000000000u)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) != 0) {
    }
  }
  uint64_t now = nowNs();
  while (now < deadlineNs) now = nowNs();
  return now;
}

#if defined(__x86_64__)
static uint64_t ticks() { return __builtin_ia32_rdtsc(); }
static double measureTicks() {
  const uint64_t startNs = nowNs();
  const uint64_t start = ticks();
  const uint64_t endNs = sleepUntil(startNs + 10000000);
  return static_cast<double>(ticks() - start) * 1e9 / static_cast<double>(endNs - startNs);
}
#elif defined(__aarch64__)
static uint64_t ticks() {
  uint64_t value;
  __asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(value));
  return value;
}
static double measureTicks() {
  uint64_t hertz;
  __asm__ volatile("mrs %0, cntfrq_el0" : "=r"(hertz));
  return static_cast<double>(hertz);
}
#else
static uint64_t ticks() { return nowNs(); }
static double measureTicks() { return 0; }
#endif

double ticksPerSecond() {
  static const double measured = measureTicks();
  return measured;
}

uint64_t spinNs(uint64_t ns) {
  const double perSecond = ticksPerSecond();
  const uint64_t startNs = nowNs();
  if (perSecond == 0) {
    uint64_t now = startNs;
    while (now - startNs < ns) now = nowNs();
    return now - startNs;
  }
  const uint64_t start = ticks();
  const auto wanted = static_cast<uint64_t>(static_cast<double>(ns) * perSecond / 1e9);
  while (ticks() - start < wanted) {
  }
  return nowNs() - startNs;
}

}  // namespace nibblemark
