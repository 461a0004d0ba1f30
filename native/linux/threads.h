// The processes and threads below a process, from /proc.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace nibblemark {

struct Thread {
  pid_t pid;
  pid_t tid;
  // Time on a core so far (sched_info; up to one timer tick old while it runs).
  uint64_t onCpuNs;
  // Time that it was ready to run and had no core.
  uint64_t waitedNs;
  // Times it gave its core up by itself, being stopped included; read by readSleeps, 0 before.
  uint64_t sleeps;
};

// State letter of a process (of a thread that lives, where there is one) or of a thread, and its start time in ticks since boot; state 0: it is gone.
struct ProcessState {
  char state = 0;
  uint64_t startTicks = 0;
};

ProcessState stateOf(pid_t pid);

// State letter of one thread alone; 0: it is gone.
char stateOfThread(pid_t pid, pid_t tid);

// The process and its descendants, without the caller and what is below it (unless it asks for itself). Empty when it is gone.
// Processes that start meanwhile may be missing.
std::vector<pid_t> processTree(pid_t pid);

// Threads of a process; withTime: reads the time of each.
void threadsOf(pid_t pid, bool withTime, std::vector<Thread>& out);

// Reads how often each has slept; some 20 us a thread.
void readSleeps(std::vector<Thread>& threads);

}  // namespace nibblemark
