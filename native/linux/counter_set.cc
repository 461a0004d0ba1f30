#include "counter_set.h"

#include <cerrno>
#include <cstring>

namespace nibblemark {

perf_event_attr attrOf(const EventSpec& spec) {
  perf_event_attr attr;
  std::memset(&attr, 0, sizeof attr);
  attr.size = sizeof attr;
  attr.type = spec.type;
  attr.config = spec.config;
  attr.config1 = spec.config1;
  attr.config2 = spec.config2;
  attr.exclude_kernel = (spec.flags & kExcludeKernel) != 0;
  attr.exclude_hv = attr.exclude_kernel;
  attr.inherit = (spec.flags & kInherit) != 0;
  return attr;
}

int CounterSet::openInto(Group& group, size_t event, pid_t tid, int cpu) {
  perf_event_attr attr = attrOf(events_[event]);
  attr.read_format = PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
  const bool leads = group.fds.empty();
  // Members run when their leader does.
  if (leads && (events_[event].flags & kEnableOnExec) != 0) {
    attr.disabled = 1;
    attr.enable_on_exec = 1;
  }
  const int fd = calls.open(&attr, tid, cpu, leads ? -1 : group.fds[0]);
  if (fd < 0) return errno;
  group.fds.push_back(fd);
  group.events.push_back(event);
  group.last.push_back(0);
  return 0;
}

int CounterSet::attach(pid_t tid, int cpu, int32_t* errors) {
  int opened = 0;
  size_t current = groups_.size();
  for (size_t i = 0; i < events_.size(); i++) {
    const bool fresh = current == groups_.size() || (events_[i].flags & kOwnGroup) != 0;
    if (!fresh) {
      errors[i] = openInto(groups_[current], i, tid, cpu);
      // Full, or of another unit: a group of its own. Other refusals would only come again.
      if (errors[i] != EINVAL) {
        opened += errors[i] == 0;
        continue;
      }
    }
    Group group;
    errors[i] = openInto(group, i, tid, cpu);
    if (errors[i] != 0) continue;
    opened++;
    current = groups_.size();
    groups_.push_back(std::move(group));
  }
  return opened;
}

bool CounterSet::readGroup(Group& group, uint64_t* out) {
  // {nr, enabled, running, value x nr}, values in the order of opening.
  const size_t words = 3 + group.fds.size();
  if (buffer_.size() < words) buffer_.resize(words);
  const ssize_t got = calls.read(group.fds[0], buffer_.data(), words * 8);
  if (got != static_cast<ssize_t>(words * 8) || buffer_[0] != group.fds.size()) return false;
  const uint64_t enabled = buffer_[1] - group.lastEnabled;
  const uint64_t running = buffer_[2] - group.lastRunning;
  group.lastEnabled = buffer_[1];
  group.lastRunning = buffer_[2];
  for (size_t i = 0; i < group.fds.size(); i++) {
    const uint64_t raw = buffer_[3 + i] - group.last[i];
    group.last[i] = buffer_[3 + i];
    uint64_t* words3 = out + group.events[i] * kWordsPerEvent;
    const double scale = running > 0 ? static_cast<double>(enabled) / static_cast<double>(running) : 0;
    words3[0] += running == enabled ? raw : static_cast<uint64_t>(static_cast<double>(raw) * scale + 0.5);
    words3[1] += enabled;
    words3[2] += running;
  }
  return true;
}

int CounterSet::read(uint64_t* out) {
  std::memset(out, 0, events_.size() * kWordsPerEvent * 8);
  int done = 0;
  for (Group& group : groups_) done += readGroup(group, out);
  return done;
}

void CounterSet::close() {
  for (Group& group : groups_) {
    // Members first: a leader that goes makes each of them a group of its own.
    for (size_t i = group.fds.size(); i-- > 0;) calls.close(group.fds[i]);
  }
  groups_.clear();
}

}  // namespace nibblemark
