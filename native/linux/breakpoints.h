// Debug registers of other processes: counts how often a few addresses are touched, until a limit that bounds the cost.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

namespace nibblemark {

// u64 of one probe as it leaves: touches, ns it was armed while its thread ran, 1 when the limit ended it.
constexpr size_t kWordsPerProbe = 3;

class Breakpoints {
 public:
  ~Breakpoints() { close(); }

  // Arms one address on one thread. writesOnly: stores; else loads and stores. `limit` touches end it (each is a trap of about
  // 15 us). Gives 0 or an errno; ENOSPC: no register is free.
  int arm(pid_t tid, uint64_t address, bool writesOnly, uint32_t limit);
  size_t armed() const { return probes_.size(); }
  // Reads all in the order of arming into out[armed() * kWordsPerProbe], and closes them.
  size_t harvest(uint64_t* out);
  void close();

 private:
  struct Probe {
    int fd;
    uint32_t limit;
  };
  std::vector<Probe> probes_;
};

}  // namespace nibblemark
