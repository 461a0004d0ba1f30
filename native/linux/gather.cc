#include "gather.h"

#include <poll.h>

#include <cerrno>

#include "clock.h"

namespace nibblemark {

Gathered gather(CounterSet& set, int pidfd, uint64_t epochNs, uint64_t mostNs, size_t most, uint64_t* out, double* times) {
  const uint64_t end = nowNs() + mostNs;
  uint64_t due = nowNs() + epochNs;
  size_t epochs = 0;
  while (epochs < most && due <= end) {
    const uint64_t now = nowNs();
    const uint64_t left = due > now ? due - now : 0;
    const timespec patience = {static_cast<time_t>(left / 1000000000u), static_cast<long>(left % 1000000000u)};
    pollfd poll = {pidfd, POLLIN, 0};
    const int ready = ppoll(&poll, 1, &patience, nullptr);
    if (ready < 0 && errno == EINTR) break;
    if (ready > 0 && (poll.revents & POLLIN) != 0) return {epochs, true};
    set.read(out + epochs * set.size() * kWordsPerEvent);
    const uint64_t read = nowNs();
    times[epochs++] = static_cast<double>(read);
    due = read + epochNs;
  }
  return {epochs, false};
}

}  // namespace nibblemark
