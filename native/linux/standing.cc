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
constexpr uint64_t kEnoughNs = 2000;
// Threads of which it is read how often they slept, and the most that waking one is taken to cost.
constexpr size_t kMostSleepsRead = 16;
constexpr uint64_t kMostWakeNs = 300000;

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

// Since the program went on: the time in which the thread that ran or waited for a core longest did neither.
struct Idle {
  bool isKnown;
  uint64_t ns;
  // That thread has not slept meanwhile, but for the stop that it is in now.
  bool isAwake;
};

Idle idleSince(const Ledger& ledger, const std::vector<Thread>& threads, uint64_t now) {
  uint64_t most = 0;
  Idle idle = {false, 0, false};
  for (const Thread& thread : threads) {
    for (const Thread& before : ledger.threads) {
      if (before.tid != thread.tid || before.pid != thread.pid) continue;
      const uint64_t busy = thread.onCpuNs - before.onCpuNs + thread.waitedNs - before.waitedNs;
      if (!idle.isKnown || busy > most) idle.isAwake = before.sleeps > 0 && thread.sleeps == before.sleeps + 1;
      most = std::max(most, busy);
      idle.isKnown = true;
      break;
    }
  }
  const uint64_t passed = now - ledger.continuedNs;
  idle.ns = passed > most ? passed - most : 0;
  return idle;
}

}  // namespace

// Of the time that looking allows it has stood while its busiest thread was idle. Idle time before that is our doing as far as the
// thread had no sleep of its own: it was let go late, and woke late.
Stood stoodSince(const Since& since, const std::vector<Thread>& threads, uint64_t now, const Ledger& ledger) {
  const Idle idle = idleSince(ledger, threads, now);
  if (!idle.isKnown) return {static_cast<int64_t>(now - std::min(now, since.middleNs)), false, 0};
  const uint64_t stood = std::min(now - std::min(now, since.earliestNs), idle.ns);
  const uint64_t before = idle.ns - stood;
  const uint64_t late = std::min(ledger.letGoNs - ledger.continuedNs, before);
  if (!idle.isAwake) return {static_cast<int64_t>(stood + late), false, 0};
  return {static_cast<int64_t>(stood + before) - static_cast<int64_t>(ledger.toldWakeNs), true, before - late};
}

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
  const uint64_t wakeNs = ledger.wakeNs;
  ledger = {};
  threadsOf(pid, true, ledger.threads);
  ledger.continuedNs = ledger.letGoNs = nowNs();
  ledger.wakeNs = wakeNs;
}

uint64_t standFor(const std::vector<pid_t>& pids, const Since& since, uint64_t ns, Ledger& ledger) {
  const uint64_t latest = since.middleNs + ns + kPatienceNs;
  std::vector<Thread> threads;
  // Many threads would take longer to read than stops are exact; then looking alone tells.
  for (const pid_t pid : pids) {
    if (threads.size() < kMostRead) threadsOf(pid, true, threads);
  }
  if (threads.size() <= kMostSleepsRead) readSleeps(threads);
  for (;;) {
    const uint64_t now = nowNs();
    const Stood stood = stoodSince(since, threads, now, ledger);
    const uint64_t wakeNs = stood.isWakeKnown ? std::min((ledger.wakeNs + stood.wakeNs) / 2, kMostWakeNs) : ledger.wakeNs;
    const int64_t told = stood.ns + static_cast<int64_t>(wakeNs);
    if (told + static_cast<int64_t>(kEnoughNs) >= static_cast<int64_t>(ns) || now > latest) {
      ledger = {now, now, std::move(threads), wakeNs, wakeNs};
      return static_cast<uint64_t>(std::max<int64_t>(told, 1));
    }
    sleepUntil(now + ns - static_cast<uint64_t>(std::max<int64_t>(told, 0)));
  }
}

}  // namespace nibblemark
