// Starting a program that stands before its first instruction until it is let go, so that counters and freezing are in place.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace nibblemark {

struct SpawnRequest {
  std::string file;
  std::vector<std::string> args;
  // NAME=VALUE.
  std::vector<std::string> env;
  // cgroup.procs to enter; empty = stay.
  std::string cgroupProcs;
  // NUMA nodes that its memory is bound to, one bit each; 0 = no binding.
  uint64_t memoryNodes;
  // Its standard output and error are /dev/null; its input too, or where ours is a regular file that file opened anew, as far in as it
  // was at our first start.
  bool quiet;
};

struct Spawned {
  pid_t pid = -1;
  // A byte lets it go; closing it ends it.
  int go = -1;
  // Gives the errno of a failed start, nothing after a good one.
  int status = -1;
};

// pid -1: errno tells.
Spawned spawnWaiting(const SpawnRequest& request);

// Lets it go. 0, or the errno of its start: of entering the cgroup, of the binding, or of exec.
int letGo(Spawned& spawned);

struct Ended {
  bool ended = false;
  // Exit code, or -1 when a signal ended it.
  int code = -1;
  int signal = 0;
  rusage usage = {};
};

// Whether a child of ours has ended; takes it off the process table then.
Ended reap(pid_t pid);

}  // namespace nibblemark
