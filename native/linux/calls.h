// The system calls of the counters as a table, so that native/test can script what a kernel answers: refusals, short reads,
// counters that never ran.
#pragma once

#include <linux/perf_event.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>

namespace nibblemark {

struct Calls {
  int (*open)(perf_event_attr* attr, pid_t pid, int cpu, int group);
  ssize_t (*read)(int fd, void* buffer, size_t size);
  int (*ioctl)(int fd, unsigned long request, unsigned long argument);
  int (*close)(int fd);
};

// The kernel's own, until a test puts others here.
extern Calls calls;

}  // namespace nibblemark
