// Stopping a program for a while, by signals or by a frozen cgroup, guarded by the watchdog.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "guard.h"
#include "standing.h"

namespace nibblemark {

// A mapping that the watchdog shares through `fd`.
struct OpenGuard {
  int fd = -1;
  Guard* guard = nullptr;
};

// A fresh guard; fd -1 and errno where it failed.
OpenGuard openGuard();
void closeGuard(OpenGuard& guard);

// Stops the program for about `ns`, its descendants too. Gives the ns from its first standing still to its going on, or
// -errno; waiting for a core, before or after, is no part of it. 0: it was standing still already, by someone else's will, all of it
// is gone, or it got no core to obey on for kPatienceNs.
int64_t stopFor(Guard* guard, Ledger& ledger, pid_t pid, uint64_t ns);

// Usual ns by which a program stands still longer than stopFor tells, seen by a child of ours that watches the clock.
// cgroup: the folder to freeze it in, or nullptr for signals. Negative: -errno.
double stopExcessNs(const char* cgroup, int rounds, uint64_t ns);

}  // namespace nibblemark
