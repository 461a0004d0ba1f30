// The parts that need a real kernel: software events, page-fault addresses, debug registers, processes, stops, clocks. What a
// container forbids is told and passed over.
#include <linux/perf_event.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "../linux/breakpoints.h"
#include "../linux/clock.h"
#include "../linux/counter_set.h"
#include "../linux/pulse.h"
#include "../linux/sampler.h"
#include "../linux/spawn.h"
#include "../linux/threads.h"
#include "check.h"

using namespace nibblemark;

namespace {

constexpr size_t kPages = 1000;

void touchPages() {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  auto* memory = static_cast<volatile char*>(mmap(nullptr, kPages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  madvise(const_cast<char*>(memory), kPages * page, MADV_NOHUGEPAGE);
  for (size_t i = 0; i < kPages; i++) memory[i * page] = 1;
  munmap(const_cast<char*>(memory), kPages * page);
}

const EventSpec kFaults = {PERF_TYPE_SOFTWARE, kExcludeKernel, PERF_COUNT_SW_PAGE_FAULTS, 0, 0};

bool faults() {
  CounterSet set({kFaults});
  int32_t errors[1];
  if (set.attach(getpid(), -1, errors) == 0) {
    std::printf("passed over: perf events are forbidden here (errno %d)\n", errors[0]);
    return false;
  }
  touchPages();
  uint64_t out[3];
  // The sanitizer's own memory is touched for the first time too.
  CHECK(set.read(out) == 1 && out[0] >= kPages && out[0] < 2 * kPages && out[1] == out[2]);
  CHECK(set.read(out) == 1 && out[0] < kPages);
  return true;
}

void faultAddresses() {
  Sampler sampler(kFaults, 1, 0, PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ADDR, 16);
  const int error = sampler.attach(getpid());
  if (error != 0) {
    std::printf("passed over: no ring buffer (errno %d)\n", error);
    return;
  }
  touchPages();
  uint64_t out[3000 * kWordsPerSample];
  const size_t samples = sampler.drain(out, 3000);
  CHECK(samples >= kPages && sampler.counts().lost == 0 && sampler.counts().broken == 0);
  CHECK(static_cast<pid_t>(out[0]) == gettid() && out[2] != 0);
}

// A child that touches one word 1000 times after each byte.
void touches() {
  int toChild[2];
  int toUs[2];
  CHECK(pipe(toChild) == 0 && pipe(toUs) == 0);
  static volatile uint64_t word;
  const pid_t child = fork();
  char byte = 0;
  if (child == 0) {
    while (read(toChild[0], &byte, 1) == 1 && byte != 'q') {
      for (int i = 0; i < 1000; i++) word = word + 1;
      if (write(toUs[1], "d", 1) != 1) break;
    }
    _exit(0);
  }
  Breakpoints points;
  const int all = points.arm(child, reinterpret_cast<uint64_t>(&word), false, 1000000);
  if (all >= 0) {
    const int few = points.arm(child, reinterpret_cast<uint64_t>(&word), true, 50);
    CHECK(few == all + 1);
    CHECK(write(toChild[1], "g", 1) == 1 && read(toUs[0], &byte, 1) == 1);
    uint64_t out[kWordsPerProbe];
    CHECK(points.read(all, out) && out[0] == 2000 && out[2] == 0);
    CHECK(points.read(few, out) && out[0] == 50 && out[2] == 1);
    points.disarm(few);
    points.disarm(few);
    CHECK(!points.read(few, out) && !points.read(99, out) && !points.read(-1, out));
    CHECK(points.arm(child, reinterpret_cast<uint64_t>(&word), true, 1) == few);
  } else {
    std::printf("passed over: no debug registers (errno %d)\n", -all);
  }
  CHECK(write(toChild[1], "q", 1) == 1);
  waitpid(child, nullptr, 0);
}

void programs() {
  Spawned spawned = spawnWaiting({"sh", {"sh", "-c", "exit 7"}, {"PATH=/usr/bin:/bin"}, "", 0, true});
  CHECK(spawned.pid > 0 && !reap(spawned.pid).ended);
  const pid_t pid = spawned.pid;
  CHECK(letGo(spawned) == 0);
  Ended ended;
  while (!(ended = reap(pid)).ended) sleepUntil(nowNs() + 1000000);
  CHECK(ended.code == 7 && ended.signal == 0);
  Spawned missing = spawnWaiting({"no-such-program", {"x"}, {"PATH=/usr/bin:/bin"}, "", 0, true});
  CHECK(letGo(missing) == ENOENT);
  waitpid(missing.pid, nullptr, 0);
}

void stops() {
  const pid_t child = fork();
  if (child == 0) {
    for (;;) spinNs(1000000);
  }
  OpenGuard guard = openGuard();
  CHECK(guard.guard != nullptr);
  Ledger ledger;
  const int64_t stopped = stopFor(guard.guard, ledger, child, 5000000);
  CHECK(stopped >= 4990000 && stopped < 500000000 && guard.guard->armed == 0);
  CHECK(stateOf(child).state != 'T');
  // Someone else's stop stays.
  kill(child, SIGSTOP);
  waitpid(child, nullptr, WUNTRACED);
  CHECK(stopFor(guard.guard, ledger, child, 1000000) == 0 && stateOf(child).state == 'T');
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  CHECK(stopFor(guard.guard, ledger, child, 1000000) == 0);
  closeGuard(guard);
  CHECK(stopExcessNs(nullptr, 5, 1000000) > -1000000);
}

}  // namespace

void testKernel() {
  if (faults()) {
    faultAddresses();
    touches();
  }
  programs();
  stops();
  std::vector<Thread> threads;
  threadsOf(getpid(), true, threads);
  CHECK(threads.size() == 1 && processTree(getpid()).size() == 1 && processTree(1 << 30).empty());
  const std::vector<pid_t> above = processTree(getppid());
  CHECK(!above.empty() && std::find(above.begin(), above.end(), getpid()) == above.end());
  CHECK(spinNs(1000000) >= 990000 && ticksPerSecond() >= 0);
}
