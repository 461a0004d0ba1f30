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
  if (fd < 0) return errno;
  if (calls.ioctl(fd, PERF_EVENT_IOC_REFRESH, limit) != 0) {
    const int error = errno;
    calls.close(fd);
    return error;
  }
  probes_.push_back({fd, limit});
  return 0;
}

size_t Breakpoints::harvest(uint64_t* out) {
  const size_t count = probes_.size();
  for (size_t i = 0; i < count; i++) {
    uint64_t words[3] = {};
    const bool got = calls.read(probes_[i].fd, words, sizeof words) == static_cast<ssize_t>(sizeof words);
    uint64_t* to = out + i * kWordsPerProbe;
    to[0] = got ? words[0] : 0;
    to[1] = got ? words[2] : 0;
    to[2] = words[0] >= probes_[i].limit;
  }
  close();
  return count;
}

void Breakpoints::close() {
  for (const Probe& probe : probes_) calls.close(probe.fd);
  probes_.clear();
}

}  // namespace nibblemark
