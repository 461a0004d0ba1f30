#include "standing.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "clock.h"
#include "guard.h"
#include "threads.h"

namespace nibblemark {

namespace {

// A look costs some 5 us; after a while they become rarer, so that we do not keep the core that is waited for.
constexpr uint64_t kBusyLookNs = 100000;
constexpr uint64_t kLongestPauseNs = 1000000;

void pause(uint64_t sinceNs) {
  const uint64_t now = nowNs();
  const uint64_t waited = now - sinceNs;
  if (waited > kBusyLookNs) sleepUntil(now + std::min(waited / 8, kLongestPauseNs));
}

// Looks until `stands` holds. Gives the middle between the last look before and that one, `fromNs` when it held at once, 0 when
// patience ended.
template <typename Stands>
uint64_t lookUntil(uint64_t fromNs, uint64_t askedNs, Stands stands) {
  uint64_t before = fromNs;
  for (bool first = true;; first = false) {
    const uint64_t look = nowNs();
    if (stands()) return first ? fromNs : before + (look - before) / 2;
    if (look > askedNs + kPatienceNs) return 0;
    before = look;
    pause(askedNs);
  }
}

// Also what waits for a disk: it does not run, and obeys when the disk answers.
bool threadStands(pid_t pid, pid_t tid) {
  const char state = stateOfThread(pid, tid);
  return state == 0 || std::strchr("TtDZX", state) != nullptr;
}

}  // namespace

uint64_t standingSince(const std::vector<pid_t>& pids, uint64_t askedNs) {
  std::vector<Thread> threads;
  for (const pid_t pid : pids) threadsOf(pid, false, threads);
  uint64_t since = 0;
  for (const Thread& thread : threads) {
    const auto stands = [&] { return threadStands(thread.pid, thread.tid); };
    since = std::max(since, lookUntil(askedNs, askedNs, stands));
  }
  return since;
}

uint64_t frozenSince(const char* folder, uint64_t askedNs) {
  char path[kPathBytes + 32];
  std::snprintf(path, sizeof path, "%s/cgroup.events", folder);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  const uint64_t since = lookUntil(askedNs, askedNs, [&] {
    char text[256];
    const ssize_t got = pread(fd, text, sizeof text - 1, 0);
    text[got > 0 ? got : 0] = 0;
    return std::strstr(text, "frozen 1") != nullptr;
  });
  close(fd);
  return since;
}

}  // namespace nibblemark
