// Counting events on the threads of a process, as few groups as fit, read as differences since the read before.
#pragma once

#include <cstdint>
#include <vector>

#include "calls.h"

namespace nibblemark {

// Bits of EventSpec::flags; src/core/native.ts has the same.
enum EventFlags : uint32_t {
  kExcludeKernel = 1,
  kEnableOnExec = 2,
  kInherit = 4,
  // Starts a group of its own.
  kOwnGroup = 8,
};

struct EventSpec {
  uint32_t type;
  uint32_t flags;
  uint64_t config;
  uint64_t config1;
  uint64_t config2;
};

// u64 of one event in what `read` fills: scaled difference, ns enabled, ns running.
constexpr size_t kWordsPerEvent = 3;

perf_event_attr attrOf(const EventSpec& spec);

class CounterSet {
 public:
  explicit CounterSet(std::vector<EventSpec> events) : events_(std::move(events)) {}
  ~CounterSet() { close(); }
  CounterSet(const CounterSet&) = delete;
  CounterSet& operator=(const CounterSet&) = delete;

  size_t size() const { return events_.size(); }

  // Opens every event on a thread (with kInherit: and on what it starts from now on); errors[i] = 0 or the errno of event i.
  // cpu -1: wherever the thread runs. Gives how many opened.
  int attach(pid_t tid, int cpu, int32_t* errors);

  // Sums the differences over all threads into out[size() * kWordsPerEvent]. A difference that was counted for a part of the
  // time only is scaled up; one that was never counted adds nothing, and its running time tells. Gives the groups read.
  int read(uint64_t* out);

  void close();

 private:
  struct Group {
    std::vector<int> fds;
    std::vector<size_t> events;
    std::vector<uint64_t> last;
    uint64_t lastEnabled = 0;
    uint64_t lastRunning = 0;
  };

  int openInto(Group& group, size_t event, pid_t tid, int cpu);
  bool readGroup(Group& group, uint64_t* out);

  std::vector<EventSpec> events_;
  std::vector<Group> groups_;
  std::vector<uint64_t> buffer_;
};

}  // namespace nibblemark
