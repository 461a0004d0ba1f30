// Loops whose counts are known: an event is believed only where one of them moves it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nibblemark {

// Runs exactly two instructions each time around, plus a handful.
void countedLoop(uint64_t rounds);

// Chases pointers at random over `bytes`, one cache line a step. Gives the ns of a step; 0 without memory.
double chaseLines(size_t bytes, uint64_t steps);

}  // namespace nibblemark
