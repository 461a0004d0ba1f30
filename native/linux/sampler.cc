#include "sampler.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

namespace nibblemark {

static size_t pageBytes() { return static_cast<size_t>(sysconf(_SC_PAGESIZE)); }

Sampler::Sampler(const EventSpec& spec, uint64_t period, uint32_t preciseIp, uint64_t sampleType, size_t pages)
    : spec_(spec), period_(period), preciseIp_(preciseIp), sampleType_(sampleType), dataBytes_(pages * pageBytes()) {}

int Sampler::attachCore(pid_t tid, int cpu) {
  perf_event_attr attr = attrOf(spec_);
  attr.sample_period = period_;
  attr.sample_type = sampleType_;
  attr.precise_ip = preciseIp_ & 3;
  attr.disabled = (spec_.flags & kEnableOnExec) != 0;
  attr.enable_on_exec = attr.disabled;
  attr.wakeup_events = 0;
  const int fd = calls.open(&attr, tid, cpu, -1);
  if (fd < 0) return errno;
  for (const Ring& ring : rings_) {
    if (ring.cpu != cpu) continue;
    if (calls.ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, static_cast<unsigned long>(ring.fd)) == 0) {
      fds_.push_back(fd);
      return 0;
    }
    const int error = errno;
    calls.close(fd);
    return error;
  }
  void* map = mmap(nullptr, pageBytes() + dataBytes_, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (map == MAP_FAILED) {
    const int error = errno;
    calls.close(fd);
    return error;
  }
  fds_.push_back(fd);
  rings_.push_back({cpu, fd, map});
  return 0;
}

int Sampler::attach(pid_t tid) {
  const int cores = static_cast<int>(sysconf(_SC_NPROCESSORS_CONF));
  int done = 0;
  for (int cpu = 0; cpu < cores; cpu++) {
    const int error = attachCore(tid, cpu);
    // A core that is switched off has no events.
    if (error != 0 && error != ENODEV) return error;
    done += error == 0;
  }
  return done > 0 ? 0 : ENODEV;
}

size_t Sampler::drain(uint64_t* out, size_t most) {
  size_t samples = 0;
  for (size_t i = 0; i < rings_.size() && samples < most; i++) {
    // Another core's buffer first each time, so that a full `out` starves none.
    const Ring& ring = rings_[(nextRing_ + i) % rings_.size()];
    auto* page = static_cast<perf_event_mmap_page*>(ring.map);
    const uint64_t head = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE);
    uint64_t tail = page->data_tail;
    const auto* data = static_cast<const uint8_t*>(ring.map) + pageBytes();
    samples += parseRing(data, dataBytes_, tail, head, sampleType_, out + samples * kWordsPerSample, most - samples, counts_);
    __atomic_store_n(&page->data_tail, tail, __ATOMIC_RELEASE);
  }
  nextRing_++;
  return samples;
}

void Sampler::close() {
  for (const Ring& ring : rings_) munmap(ring.map, pageBytes() + dataBytes_);
  for (const int fd : fds_) calls.close(fd);
  rings_.clear();
  fds_.clear();
}

}  // namespace nibblemark
