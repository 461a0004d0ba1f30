// The watchdog: a process of its own session that the harness starts before it stops anything. It sleeps on a pipe whose other
// end only the harness holds. When the harness dies in any way, or lets the deadline of a stop pass, it lets the targets run on.
// stdin: the pipe; file descriptor 3: the shared Guard.
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>

#include <ctime>

#include "cgroup.h"
#include "threads.h"

using namespace nibblemark;

// How far past its deadline a stop may be before the harness counts as hung, and how often that is looked at.
constexpr uint64_t kGraceNs = 1000000000;
constexpr int kLookMs = 250;

static uint64_t now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1000000000u + static_cast<uint64_t>(time.tv_nsec);
}

static void release(const Guard* guard) {
  if (guard->method == kByCgroup) {
    setFrozen(guard->cgroup, false);
    return;
  }
  const uint32_t count = guard->count < kMostGuarded ? guard->count : kMostGuarded;
  for (uint32_t i = 0; i < count; i++) {
    const GuardedProcess& process = guard->processes[i];
    if (process.pid > 1 && stateOf(process.pid).startTicks == process.startTicks) kill(process.pid, SIGCONT);
  }
}

int main() {
  for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGTSTP, SIGTTOU}) signal(number, SIG_IGN);
  auto* guard = static_cast<Guard*>(mmap(nullptr, sizeof(Guard), PROT_READ | PROT_WRITE, MAP_SHARED, 3, 0));
  if (guard == MAP_FAILED) return 1;
  // Ready: the harness waits for this before its first stop.
  if (write(1, "r", 1) != 1) return 1;
  pollfd pipe = {0, POLLIN, 0};
  for (;;) {
    poll(&pipe, 1, kLookMs);
    if ((pipe.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) break;
    if ((pipe.revents & POLLIN) != 0) {
      char text[16];
      if (read(0, text, sizeof text) <= 0) break;
    }
    const bool late = __atomic_load_n(&guard->armed, __ATOMIC_ACQUIRE) != 0 && now() > guard->deadlineNs + kGraceNs;
    if (late) release(guard);
  }
  if (__atomic_load_n(&guard->armed, __ATOMIC_ACQUIRE) != 0) release(guard);
  if (guard->cgroup[0] != 0) {
    setFrozen(guard->cgroup, false);
    if (guard->home[0] != 0) leaveCgroup(guard->cgroup, guard->home, 1000);
  }
  return 0;
}
