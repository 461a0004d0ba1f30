// Samples of addresses from one event on the threads of a process, through a ring buffer for each core.
#pragma once

#include <cstdint>
#include <vector>

#include "counter_set.h"
#include "ring.h"

namespace nibblemark {

class Sampler {
 public:
  // period: events a sample; preciseIp as in perf_event_attr; pages: of data for each core, a power of two.
  Sampler(const EventSpec& spec, uint64_t period, uint32_t preciseIp, uint64_t sampleType, size_t pages);
  ~Sampler() { close(); }
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  // Opens the event on a thread, once a core (an inherited event can only be mapped so). 0 or an errno.
  int attach(pid_t tid);
  // Samples since the last call into out[most * kWordsPerSample].
  size_t drain(uint64_t* out, size_t most);
  const RingCounts& counts() const { return counts_; }
  void close();

 private:
  struct Ring {
    int cpu;
    int fd;
    void* map;
  };

  int attachCore(pid_t tid, int cpu);

  EventSpec spec_;
  uint64_t period_;
  uint32_t preciseIp_;
  uint64_t sampleType_;
  size_t dataBytes_;
  size_t nextRing_ = 0;
  RingCounts counts_;
  std::vector<Ring> rings_;
  std::vector<int> fds_;
};

}  // namespace nibblemark
