// Reading counters over several epochs without waking anyone else: what is not to be acted on at once is handed over in batches, so that
// the reader's own work does not disturb the program every few milliseconds.
#pragma once

#include "counter_set.h"

namespace nibblemark {

struct Gathered {
  size_t epochs;
  // The program has ended.
  bool ended;
};

// Reads the counters every `epochNs` for at most `mostNs` into out[most][events * kWordsPerEvent], and when into times[most]
// (CLOCK_MONOTONIC ns). Ends early with the process of `pidfd`, and when a signal comes.
Gathered gather(CounterSet& set, int pidfd, uint64_t epochNs, uint64_t mostNs, size_t most, uint64_t* out, double* times);

}  // namespace nibblemark
