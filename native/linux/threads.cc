#include "threads.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace nibblemark {

namespace {

// Reads a small file of /proc; the length, or -1.
ssize_t readSmall(const char* path, char* buffer, size_t size) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  size_t used = 0;
  while (used + 1 < size) {
    const ssize_t got = read(fd, buffer + used, size - 1 - used);
    if (got <= 0) break;
    used += static_cast<size_t>(got);
  }
  close(fd);
  buffer[used] = 0;
  return static_cast<ssize_t>(used);
}

std::vector<pid_t> tasksOf(pid_t pid) {
  std::vector<pid_t> tids;
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/task", pid);
  DIR* folder = opendir(path);
  if (folder == nullptr) return tids;
  while (const dirent* entry = readdir(folder)) {
    const int tid = std::atoi(entry->d_name);
    if (tid > 0) tids.push_back(tid);
  }
  closedir(folder);
  return tids;
}

// Children that a thread has started; needs CONFIG_PROC_CHILDREN, else there are none.
void addChildren(pid_t pid, pid_t tid, std::vector<pid_t>& out) {
  char path[96];
  std::snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, tid);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  std::string text;
  char part[4096];
  for (ssize_t got = read(fd, part, sizeof part); got > 0; got = read(fd, part, sizeof part)) {
    text.append(part, static_cast<size_t>(got));
  }
  close(fd);
  for (const char* at = text.c_str(); *at != 0;) {
    char* end;
    const long child = std::strtol(at, &end, 10);
    if (end == at) break;
    out.push_back(static_cast<pid_t>(child));
    at = end + (*end == ' ');
  }
}

ProcessState stateIn(const char* path) {
  char text[1024];
  if (readSmall(path, text, sizeof text) <= 0) return {};
  // pid (name) state ppid ...; the name may hold anything, also parentheses.
  const char* at = std::strrchr(text, ')');
  if (at == nullptr || at[1] == 0) return {};
  ProcessState result;
  result.state = at[2];
  // Field 22 is the start time; the state is field 3.
  int field = 3;
  for (at += 2; *at != 0 && field < 22; at++) field += *at == ' ';
  result.startTicks = std::strtoull(at, nullptr, 10);
  return result;
}

}  // namespace

ProcessState stateOf(pid_t pid) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/stat", pid);
  ProcessState result = stateIn(path);
  if (result.state != 'Z') return result;
  // The first thread of a program may end before the others.
  for (const pid_t tid : tasksOf(pid)) {
    const char state = stateOfThread(pid, tid);
    if (state != 0 && state != 'Z' && state != 'X') result.state = state;
  }
  return result;
}

char stateOfThread(pid_t pid, pid_t tid) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/task/%d/stat", pid, tid);
  return stateIn(path).state;
}

std::vector<pid_t> processTree(pid_t pid) {
  std::vector<pid_t> tree;
  const char state = stateOf(pid).state;
  if (state == 0 || state == 'X') return tree;
  tree.push_back(pid);
  for (size_t i = 0; i < tree.size() && tree.size() < 65536; i++) {
    const size_t before = tree.size();
    for (const pid_t tid : tasksOf(tree[i])) addChildren(tree[i], tid, tree);
    // Below an ancestor of ours we and our watchdog would stand among those that we stop.
    tree.erase(std::remove(tree.begin() + static_cast<std::ptrdiff_t>(before), tree.end(), getpid()), tree.end());
  }
  return tree;
}

void threadsOf(pid_t pid, bool withTime, std::vector<Thread>& out) {
  for (const pid_t tid : tasksOf(pid)) {
    Thread thread = {pid, tid, 0, 0, 0};
    if (withTime) {
      char path[96];
      char text[128];
      std::snprintf(path, sizeof path, "/proc/%d/task/%d/schedstat", pid, tid);
      if (readSmall(path, text, sizeof text) <= 0) continue;
      char* rest;
      thread.onCpuNs = std::strtoull(text, &rest, 10);
      thread.waitedNs = std::strtoull(rest, nullptr, 10);
    }
    out.push_back(thread);
  }
}

void readSleeps(std::vector<Thread>& threads) {
  for (Thread& thread : threads) {
    char path[96];
    char text[4096];
    std::snprintf(path, sizeof path, "/proc/%d/task/%d/status", thread.pid, thread.tid);
    if (readSmall(path, text, sizeof text) <= 0) continue;
    const char* at = std::strstr(text, "\nvoluntary_ctxt_switches:");
    if (at != nullptr) thread.sleeps = std::strtoull(std::strchr(at, ':') + 1, nullptr, 10);
  }
}

}  // namespace nibblemark
