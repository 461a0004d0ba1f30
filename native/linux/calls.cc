#include "calls.h"

#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace nibblemark {

static int openEvent(perf_event_attr* attr, pid_t pid, int cpu, int group) {
  return static_cast<int>(syscall(SYS_perf_event_open, attr, pid, cpu, group, PERF_FLAG_FD_CLOEXEC));
}

static int control(int fd, unsigned long request, unsigned long argument) { return ioctl(fd, request, argument); }

Calls calls = {openEvent, read, control, close};

}  // namespace nibblemark
