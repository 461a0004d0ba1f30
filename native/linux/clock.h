// Monotonic time, sleeping close to the wanted time, and waiting by the processor's own counter.
#pragma once

#include <cstdint>

namespace nibblemark {

uint64_t nowNs();

// Sleeps until shortly before and waits actively for the rest. Gives when it was over.
uint64_t sleepUntil(uint64_t deadlineNs);

// Counts of the time stamp counter a second, measured once; 0 where user programs cannot read one.
double ticksPerSecond();

// Waits actively by the time stamp counter (by the clock where there is none). Gives the ns that really passed.
uint64_t spinNs(uint64_t ns);

}  // namespace nibblemark
