#include "pulse.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <algorithm>
#include <vector>

#include "cgroup.h"
#include "clock.h"
#include "threads.h"

namespace nibblemark {

OpenGuard openGuard() {
  const int fd = memfd_create("nibblemark-guard", MFD_CLOEXEC);
  if (fd < 0) return {};
  if (ftruncate(fd, sizeof(Guard)) == 0) {
    void* map = mmap(nullptr, sizeof(Guard), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map != MAP_FAILED) return {fd, static_cast<Guard*>(map)};
  }
  close(fd);
  return {};
}

void closeGuard(OpenGuard& guard) {
  if (guard.guard != nullptr) munmap(guard.guard, sizeof(Guard));
  if (guard.fd >= 0) close(guard.fd);
  guard = {};
}

namespace {

void arm(Guard* guard, uint32_t method, uint64_t deadlineNs) {
  guard->method = method;
  guard->deadlineNs = deadlineNs;
  __atomic_store_n(&guard->armed, 1, __ATOMIC_RELEASE);
}

// While a program stands we must get a core when its time is over, whoever else wants one: a real-time priority where we may have it.
class Promptly {
 public:
  Promptly() : policy_(sched_getscheduler(0)) {
    if (policy_ < 0 || sched_getparam(0, &before_) != 0) policy_ = -1;
    const sched_param least = {sched_get_priority_min(SCHED_FIFO)};
    if (policy_ != -1 && sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &least) != 0) policy_ = -1;
  }
  ~Promptly() {
    if (policy_ != -1) sched_setscheduler(0, policy_, &before_);
  }
  Promptly(const Promptly&) = delete;
  Promptly& operator=(const Promptly&) = delete;

 private:
  int policy_;
  sched_param before_ = {};
};

void disarm(Guard* guard) { __atomic_store_n(&guard->armed, 0, __ATOMIC_RELEASE); }

// What has ended or stands already cannot be stopped.
bool goesOn(char state) { return state != 0 && state != 'Z' && state != 'X' && state != 'T' && state != 't'; }

// Writes a process down before it is stopped, so that the watchdog always knows of it.
bool stopOne(Guard* guard, pid_t pid) {
  if (guard->count >= kMostGuarded || pid == getpid()) return false;
  const ProcessState state = stateOf(pid);
  if (!goesOn(state.state)) return false;
  guard->processes[guard->count] = {pid, 0, state.startTicks};
  __atomic_store_n(&guard->count, guard->count + 1, __ATOMIC_RELEASE);
  return kill(pid, SIGSTOP) == 0;
}

std::vector<pid_t> stoppedBy(const Guard* guard) {
  std::vector<pid_t> pids;
  for (uint32_t i = 0; i < guard->count; i++) pids.push_back(guard->processes[i].pid);
  return pids;
}

int64_t stopBySignal(Guard* guard, Ledger& ledger, pid_t pid, uint64_t ns) {
  __atomic_store_n(&guard->count, 0, __ATOMIC_RELEASE);
  arm(guard, kBySignal, nowNs() + 2 * kPatienceNs + ns);
  std::vector<pid_t> seen;
  // Again until nothing new appears: what a process started just before it stood still runs on. A storm of forks ends it.
  for (int round = 0; round < 8; round++) {
    const size_t before = seen.size();
    for (const pid_t one : processTree(pid)) {
      if (std::find(seen.begin(), seen.end(), one) != seen.end()) continue;
      seen.push_back(one);
      stopOne(guard, one);
    }
    if (seen.size() == before) break;
  }
  uint64_t stood = 0;
  if (guard->count > 0) {
    const std::vector<pid_t> stopped = stoppedBy(guard);
    const Since since = standingSince(stopped, nowNs());
    if (since.middleNs > 0) stood = standFor(stopped, since, ns, ledger);
    for (uint32_t i = guard->count; i-- > 0;) kill(guard->processes[i].pid, SIGCONT);
    ledger.letGoNs = nowNs();
  }
  disarm(guard);
  return static_cast<int64_t>(stood);
}

bool anyGoesOn(const std::vector<pid_t>& pids) {
  return std::any_of(pids.begin(), pids.end(), [](pid_t pid) { return goesOn(stateOf(pid).state); });
}

int64_t stopByCgroup(Guard* guard, Ledger& ledger, pid_t pid, uint64_t ns) {
  if (!anyGoesOn(processTree(pid))) return 0;
  const uint64_t start = nowNs();
  arm(guard, kByCgroup, start + 2 * kPatienceNs + ns);
  int error = setFrozen(guard->cgroup, true);
  uint64_t stood = 0;
  if (error == 0) {
    const Since since = frozenSince(guard->cgroup, start);
    if (since.middleNs > 0) stood = standFor(processTree(pid), since, ns, ledger);
    error = setFrozen(guard->cgroup, false);
    ledger.letGoNs = nowNs();
  }
  disarm(guard);
  return error == 0 ? static_cast<int64_t>(stood) : -error;
}

// What the watching child leaves behind: the longest gap since it was last asked.
struct Watched {
  uint64_t gapNs;
  uint64_t ready;
};

[[noreturn]] void watchClock(Watched* watched, int enter, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (getppid() != parent || (enter >= 0 && write(enter, "0", 1) < 0)) _exit(1);
  uint64_t last = nowNs();
  __atomic_store_n(&watched->ready, 1, __ATOMIC_RELEASE);
  for (;;) {
    const uint64_t now = nowNs();
    if (now - last > __atomic_load_n(&watched->gapNs, __ATOMIC_RELAXED)) {
      __atomic_store_n(&watched->gapNs, now - last, __ATOMIC_RELEASE);
    }
    last = now;
  }
}

// The lower quartile: trials in which other programs held the core tell of those.
double usualExcess(Guard* guard, Watched* watched, pid_t pid, int rounds, uint64_t ns) {
  std::vector<double> excess;
  for (int round = 0; round < rounds; round++) {
    // A fresh one tells of the stop alone.
    Ledger ledger;
    sleepUntil(nowNs() + 500000);
    __atomic_store_n(&watched->gapNs, 0, __ATOMIC_RELEASE);
    const int64_t told = stopFor(guard, ledger, pid, ns);
    if (told < 0) return static_cast<double>(told);
    sleepUntil(nowNs() + 300000);
    const auto gap = static_cast<double>(__atomic_load_n(&watched->gapNs, __ATOMIC_ACQUIRE));
    if (gap > static_cast<double>(ns) / 2) excess.push_back(gap - static_cast<double>(told));
  }
  if (excess.empty()) return -EAGAIN;
  std::sort(excess.begin(), excess.end());
  return excess[excess.size() / 4];
}

}  // namespace

int64_t stopFor(Guard* guard, Ledger& ledger, pid_t pid, uint64_t ns) {
  const Promptly promptly;
  if (guard->cgroup[0] != 0) return stopByCgroup(guard, ledger, pid, ns);
  return stopBySignal(guard, ledger, pid, ns);
}

double stopExcessNs(const char* cgroup, int rounds, uint64_t ns) {
  OpenGuard own = openGuard();
  if (own.guard == nullptr) return -errno;
  if (cgroup != nullptr) std::snprintf(own.guard->cgroup, kPathBytes, "%s", cgroup);
  char procs[kPathBytes + 32];
  std::snprintf(procs, sizeof procs, "%s/cgroup.procs", cgroup == nullptr ? "" : cgroup);
  const int enter = cgroup == nullptr ? -1 : open(procs, O_WRONLY | O_CLOEXEC);
  void* map = mmap(nullptr, sizeof(Watched), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  auto* watched = static_cast<Watched*>(map);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) watchClock(watched, enter, parent);
  double result = child < 0 ? -errno : -ETIMEDOUT;
  const uint64_t patience = nowNs() + 1000000000;
  while (child > 0 && __atomic_load_n(&watched->ready, __ATOMIC_ACQUIRE) == 0 && nowNs() < patience) sleepUntil(nowNs() + 100000);
  if (child > 0 && __atomic_load_n(&watched->ready, __ATOMIC_ACQUIRE) != 0) {
    result = usualExcess(own.guard, watched, child, rounds, ns);
  }
  if (child > 0) {
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  }
  if (enter >= 0) close(enter);
  munmap(map, sizeof(Watched));
  closeGuard(own);
  return result;
}

}  // namespace nibblemark
