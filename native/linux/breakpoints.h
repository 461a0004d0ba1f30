// Debug registers of other processes: counts how often a few addresses are touched, until a limit that bounds the cost.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

namespace nibblemark {

// u64 of one probe as it is read: touches, ns it was armed while its thread ran, 1 when the limit ended it.
constexpr size_t kWordsPerProbe = 3;

class Breakpoints {
 public:
  ~Breakpoints() { close(); }

  // Arms one address on one thread. writesOnly: stores; else loads and stores. `limit` touches end it (each is a trap of about
  // 15 us). Gives the probe's number, or -errno; ENOSPC: no register is free.
  int arm(pid_t tid, uint64_t address, bool writesOnly, uint32_t limit);
  // What a probe has seen so far into out[kWordsPerProbe]; false for a number that is none.
  bool read(int probe, uint64_t* out) const;
  // Frees its register; its number may be given again.
  void disarm(int probe);
  void close();

 private:
  struct Probe {
    int fd;
    uint32_t limit;
  };
  // fd -1: free.
  std::vector<Probe> probes_;
};

}  // namespace nibblemark
