#include "standing.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "clock.h"
#include "guard.h"

namespace nibblemark {

namespace {

// A look costs some 5 us; after a while they become rarer, so that we do not keep the core that is waited for.
constexpr uint64_t kBusyLookNs = 100000;
constexpr uint64_t kLongestPauseNs = 1000000;
// Threads whose times are read, and what is left of a stop that is not worth another look.
constexpr size_t kMostRead = 64;
constexpr uint64_t kEnoughNs = 5000;

void pause(uint64_t sinceNs) {
  const uint64_t now = nowNs();
  const uint64_t waited = now - sinceNs;
  if (waited > kBusyLookNs) sleepUntil(now + std::min(waited / 8, kLongestPauseNs));
}

// Looks until `stands` holds.
template <typename Stands>
Since lookUntil(uint64_t askedNs, Stands stands) {
  uint64_t before = askedNs;
  for (bool first = true;; first = false) {
    const uint64_t look = nowNs();
    if (stands()) return {before, first ? askedNs : before + (look - before) / 2};
    if (look > askedNs + kPatienceNs) return {0, 0};
    before = look;
    pause(askedNs);
  }
}

// Also what waits for a disk: it does not run, and obeys when the disk answers.
bool threadStands(pid_t pid, pid_t tid) {
  const char state = stateOfThread(pid, tid);
  return state == 0 || std::strchr("TtDZX", state) != nullptr;
}

// Of the thread that ran or waited for a core longest since the program went on: the time in which it did neither. UINT64_MAX where
// nothing is known of before.
uint64_t idleSince(const Ledger& ledger, const std::vector<Thread>& threads, uint64_t now) {
  uint64_t most = 0;
  bool known = false;
  for (const Thread& thread : threads) {
    for (const Thread& before : ledger.threads) {
      if (before.tid != thread.tid || before.pid != thread.pid) continue;
      most = std::max(most, thread.onCpuNs - before.onCpuNs + thread.waitedNs - before.waitedNs);
      known = true;
      break;
    }
  }
  const uint64_t passed = now - ledger.continuedNs;
  return !known ? UINT64_MAX : passed > most ? passed - most : 0;
}

// What a program has stood: of the time that looking allows, that in which its busiest thread was idle. And what it was let go too
// late the last time, which shows as idle time before.
uint64_t stoodSince(const Since& since, uint64_t idle, uint64_t now, const Ledger& ledger) {
  if (idle == UINT64_MAX) return now - std::min(now, since.middleNs);
  const uint64_t stood = std::min(now - std::min(now, since.earliestNs), idle);
  return stood + std::min(ledger.letGoNs - ledger.continuedNs, idle - stood);
}

}  // namespace

Since standingSince(const std::vector<pid_t>& pids, uint64_t askedNs) {
  std::vector<Thread> threads;
  for (const pid_t pid : pids) threadsOf(pid, false, threads);
  Since last = {askedNs, askedNs};
  for (const Thread& thread : threads) {
    const Since one = lookUntil(askedNs, [&] { return threadStands(thread.pid, thread.tid); });
    if (one.middleNs == 0) return one;
    last = {std::max(last.earliestNs, one.earliestNs), std::max(last.middleNs, one.middleNs)};
  }
  return last;
}

Since frozenSince(const char* folder, uint64_t askedNs) {
  char path[kPathBytes + 32];
  std::snprintf(path, sizeof path, "%s/cgroup.events", folder);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {0, 0};
  const Since since = lookUntil(askedNs, [&] {
    char text[256];
    const ssize_t got = pread(fd, text, sizeof text - 1, 0);
    text[got > 0 ? got : 0] = 0;
    return std::strstr(text, "frozen 1") != nullptr;
  });
  close(fd);
  return since;
}

void noteThreads(pid_t pid, Ledger& ledger) {
  ledger = {};
  threadsOf(pid, true, ledger.threads);
  ledger.continuedNs = ledger.letGoNs = nowNs();
}

uint64_t standFor(const std::vector<pid_t>& pids, const Since& since, uint64_t ns, Ledger& ledger) {
  const uint64_t latest = since.middleNs + ns + kPatienceNs;
  for (;;) {
    std::vector<Thread> threads;
    // Many threads would take longer to read than stops are exact; then looking alone tells.
    for (const pid_t pid : pids) {
      if (threads.size() < kMostRead) threadsOf(pid, true, threads);
    }
    const uint64_t now = nowNs();
    const uint64_t stood = stoodSince(since, idleSince(ledger, threads, now), now, ledger);
    if (stood + kEnoughNs >= ns || now > latest) {
      ledger = {now, now, std::move(threads)};
      return stood;
    }
    sleepUntil(now + ns - stood);
  }
}

}  // namespace nibblemark
