// Freezing and leaving a cgroup v2 folder; shared by the addon and the watchdog, so header only and without allocation.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "guard.h"

namespace nibblemark {

// 0 or an errno.
inline int writeFile(const char* path, const char* text) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  const bool done = write(fd, text, std::strlen(text)) >= 0;
  const int error = done ? 0 : errno;
  close(fd);
  return error;
}

inline int setFrozen(const char* folder, bool frozen) {
  char path[kPathBytes + 32];
  std::snprintf(path, sizeof path, "%s/cgroup.freeze", folder);
  return writeFile(path, frozen ? "1" : "0");
}

// Moves every process of a folder to another's cgroup.procs, until none is left or `rounds` are over (processes that are just
// being started appear late), and removes the folder. 0 or an errno.
inline int leaveCgroup(const char* folder, const char* homeProcs, int rounds) {
  char path[kPathBytes + 32];
  std::snprintf(path, sizeof path, "%s/cgroup.procs", folder);
  for (int round = 0; round < rounds; round++) {
    char text[65536];
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) break;
    const ssize_t got = read(fd, text, sizeof text - 1);
    close(fd);
    if (got <= 0) break;
    text[got] = 0;
    for (char* at = text; *at != 0;) {
      char* end = std::strchr(at, '\n');
      if (end == nullptr) break;
      *end = 0;
      writeFile(homeProcs, at);
      at = end + 1;
    }
  }
  return rmdir(folder) == 0 || errno == ENOENT ? 0 : errno;
}

}  // namespace nibblemark
