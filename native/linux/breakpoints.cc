#include "breakpoints.h"

#include <linux/hw_breakpoint.h>

#include <cerrno>
#include <cstring>

#include "calls.h"

namespace nibblemark {

int Breakpoints::arm(pid_t tid, uint64_t address, bool writesOnly, uint32_t limit) {
  perf_event_attr attr;
  std::memset(&attr, 0, sizeof attr);
  attr.size = sizeof attr;
  attr.type = PERF_TYPE_BREAKPOINT;
  attr.bp_type = writesOnly ? HW_BREAKPOINT_W : HW_BREAKPOINT_RW;
  attr.bp_addr = address & ~uint64_t{7};
  attr.bp_len = HW_BREAKPOINT_LEN_8;
  attr.sample_period = 1;
  attr.exclude_kernel = 1;
  attr.exclude_hv = 1;
  attr.disabled = 1;
  attr.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
  const int fd = calls.open(&attr, tid, -1, -1);
  if (fd < 0) return -errno;
  if (calls.ioctl(fd, PERF_EVENT_IOC_REFRESH, limit) != 0) {
    const int error = errno;
    calls.close(fd);
    return -error;
  }
  for (size_t i = 0; i < probes_.size(); i++) {
    if (probes_[i].fd >= 0) continue;
    probes_[i] = {fd, limit};
    return static_cast<int>(i);
  }
  probes_.push_back({fd, limit});
  return static_cast<int>(probes_.size() - 1);
}

bool Breakpoints::read(int probe, uint64_t* out) const {
  if (probe < 0 || static_cast<size_t>(probe) >= probes_.size() || probes_[probe].fd < 0) return false;
  // {value, enabled, running}
  uint64_t words[3] = {};
  if (calls.read(probes_[probe].fd, words, sizeof words) != static_cast<ssize_t>(sizeof words)) return false;
  out[0] = words[0];
  out[1] = words[2];
  out[2] = words[0] >= probes_[probe].limit;
  return true;
}

void Breakpoints::disarm(int probe) {
  if (probe < 0 || static_cast<size_t>(probe) >= probes_.size() || probes_[probe].fd < 0) return;
  calls.close(probes_[probe].fd);
  probes_[probe].fd = -1;
}

void Breakpoints::close() {
  for (const Probe& probe : probes_) {
    if (probe.fd >= 0) calls.close(probe.fd);
  }
  probes_.clear();
}

}  // namespace nibblemark
