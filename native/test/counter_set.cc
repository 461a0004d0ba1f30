// CounterSet against a scripted kernel: refusals, groups that are full, short reads, counters that never ran, multiplexing.
#include "../linux/counter_set.h"

#include <cerrno>
#include <cstring>
#include <map>

#include "check.h"

using namespace nibblemark;

namespace {

struct Scripted {
  int group;
  uint64_t value;
};

std::map<int, Scripted> openFds;
int nextFd = 100;
uint64_t enabledNs = 0;
uint64_t runningNs = 0;
size_t mostMembers = 6;
size_t shortBy = 0;

// Configs from 1000 on are refused with config - 1000.
int scriptedOpen(perf_event_attr* attr, pid_t, int, int group) {
  if (attr->config >= 1000) {
    errno = static_cast<int>(attr->config - 1000);
    return -1;
  }
  size_t members = 0;
  for (const auto& [fd, one] : openFds) members += group >= 0 && (fd == group || one.group == group);
  if (members >= mostMembers) {
    errno = EINVAL;
    return -1;
  }
  openFds[nextFd] = {group, attr->config};
  return nextFd++;
}

ssize_t scriptedRead(int fd, void* buffer, size_t size) {
  uint64_t words[64] = {0, enabledNs, runningNs};
  for (const auto& [other, one] : openFds) {
    if (other == fd || one.group == fd) words[3 + words[0]++] = one.value;
  }
  const size_t bytes = (3 + words[0]) * 8 - shortBy;
  if (bytes > size) {
    errno = ENOSPC;
    return -1;
  }
  std::memcpy(buffer, words, bytes);
  return static_cast<ssize_t>(bytes);
}

int scriptedClose(int fd) {
  CHECK(openFds.erase(fd) == 1);
  return 0;
}

EventSpec event(uint64_t config) { return {PERF_TYPE_RAW, 0, config, 0, 0}; }

void countAll(uint64_t by) {
  for (auto& [fd, one] : openFds) one.value += by;
}

void refusals() {
  CounterSet set({event(1), event(1000 + ENOENT), event(2), event(1000 + EACCES), event(1000 + EMFILE), event(1000 + ESRCH)});
  int32_t errors[6];
  CHECK(set.attach(1, -1, errors) == 2);
  const int32_t expected[6] = {0, ENOENT, 0, EACCES, EMFILE, ESRCH};
  CHECK(std::memcmp(errors, expected, sizeof errors) == 0);
  uint64_t out[18];
  enabledNs = runningNs = 10;
  CHECK(set.read(out) == 1);
  CHECK(out[0] == 1 && out[6] == 2 && out[3] == 0 && out[4] == 0);
}

void fullGroups() {
  std::vector<EventSpec> events;
  for (uint64_t i = 1; i <= 14; i++) events.push_back(event(i));
  CounterSet set(events);
  int32_t errors[14];
  CHECK(set.attach(1, -1, errors) == 14);
  uint64_t out[42];
  CHECK(set.read(out) == 3);
  for (size_t i = 0; i < 14; i++) CHECK(errors[i] == 0 && out[i * 3] == i + 1);
}

void readings() {
  CounterSet set({event(5)});
  int32_t errors[1];
  enabledNs = runningNs = 0;
  CHECK(set.attach(1, -1, errors) == 1);
  uint64_t out[3];
  enabledNs = 100;
  runningNs = 25;
  CHECK(set.read(out) == 1 && out[0] == 20 && out[1] == 100 && out[2] == 25);
  // Counted nothing since: no data, not 0 of 0.
  enabledNs = 200;
  countAll(7);
  CHECK(set.read(out) == 1 && out[0] == 0 && out[1] == 100 && out[2] == 0);
  shortBy = 8;
  CHECK(set.read(out) == 0 && out[0] == 0 && out[1] == 0);
  shortBy = 0;
  // Past the end of 64 bits a counter goes on at 0.
  countAll(~uint64_t{0} - 20);
  enabledNs = runningNs = 300;
  set.read(out);
  countAll(100);
  enabledNs = runningNs = 400;
  CHECK(set.read(out) == 1 && out[0] == 100);
}

}  // namespace

void testCounterSet() {
  const Calls kernel = calls;
  calls = {scriptedOpen, scriptedRead, kernel.ioctl, scriptedClose};
  refusals();
  fullGroups();
  readings();
  CHECK(openFds.empty());
  calls = kernel;
}
