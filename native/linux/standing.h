// When a stop that was asked for has taken hold. A program that waits for a core obeys only once it gets one, and until then it is
// the other programs that keep it waiting, not we.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

namespace nibblemark {

// So long at most a stop is waited for; what still runs then counts as standing since it was asked to.
constexpr uint64_t kPatienceNs = 100000000;

// Waits until every thread of the processes stands. Gives when the last of them came to stand (CLOCK_MONOTONIC), not before
// `askedNs`; 0: none did in time.
uint64_t standingSince(const std::vector<pid_t>& pids, uint64_t askedNs);

// The same for the processes of a cgroup v2 folder that is being frozen.
uint64_t frozenSince(const char* folder, uint64_t askedNs);

}  // namespace nibblemark
