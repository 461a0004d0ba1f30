// What the harness and its watchdog share: which processes may be standing still, and until when at most. The harness writes
// it before it stops anything; the watchdog undoes it when the harness dies or lets the deadline pass.
#pragma once

#include <cstdint>

namespace nibblemark {

constexpr uint32_t kMostGuarded = 4096;
constexpr uint32_t kPathBytes = 1024;

enum GuardMethod : uint32_t { kBySignal = 1, kByCgroup = 2 };

struct GuardedProcess {
  int32_t pid;
  uint32_t unused;
  // A pid that was given to another process has another start time.
  uint64_t startTicks;
};

struct Guard {
  // 1 while a target may be standing still.
  uint64_t armed;
  // CLOCK_MONOTONIC.
  uint64_t deadlineNs;
  uint32_t method;
  uint32_t count;
  // Folder that is frozen, and the cgroup.procs of the one its processes go back to; empty = none.
  char cgroup[kPathBytes];
  char home[kPathBytes];
  GuardedProcess processes[kMostGuarded];
};

}  // namespace nibblemark
