// When a stop that was asked for has taken hold, and how long it has held. A program that waits for a core obeys only once it gets
// one, and until then it is the other programs that keep it waiting, not we. So are we: a look may come late. What the kernel
// says of the busiest thread, its time on a core and in the queue for one, tells the rest.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "threads.h"

namespace nibblemark {

// So long at most a stop is waited for.
constexpr uint64_t kPatienceNs = 100000000;

// The threads of a program when it was last let go on; empty before the first stop.
struct Ledger {
  // Between these two: we may have lost our own core meanwhile.
  uint64_t continuedNs = 0;
  uint64_t letGoNs = 0;
  std::vector<Thread> threads;
  // What waking the program is expected to cost, and what of that the last stop has been told with.
  uint64_t wakeNs = 0;
  uint64_t toldWakeNs = 0;
};

// When the last of the threads came to stand, as far as looking tells (CLOCK_MONOTONIC): after `earliestNs`, about at `middleNs`.
// Both 0: not all did in time.
struct Since {
  uint64_t earliestNs;
  uint64_t middleNs;
};

// Waits until every thread of the processes stands.
Since standingSince(const std::vector<pid_t>& pids, uint64_t askedNs);

// Waits until all processes of a cgroup v2 folder are frozen.
Since frozenSince(const char* folder, uint64_t askedNs);

// What a program has stood, as the ledger and its threads (which stand now) tell.
struct Stood {
  // Waking up from it left out, and corrected by what was told wrongly of the last one; it may be negative for that.
  int64_t ns;
  // What waking from the stop before has really cost: only known where the busiest thread has not slept since.
  bool isWakeKnown;
  uint64_t wakeNs;
};

Stood stoodSince(const Since& since, const std::vector<Thread>& threads, uint64_t now, const Ledger& ledger);

// Takes down the threads of a process that stands before its first instruction.
void noteThreads(pid_t pid, Ledger& ledger);

// Waits until processes that stand have stood for `ns`, waking up and what they stood too long the last time included. Gives how long
// that is.
// They are to be continued at once, and `ledger.letGoNs` set.
uint64_t standFor(const std::vector<pid_t>& pids, const Since& since, uint64_t ns, Ledger& ledger);

}  // namespace nibblemark
