#include "spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace nibblemark {

// MPOL_BIND of <numaif.h>, which not every machine has.
constexpr int kBind = 2;

namespace {

struct Child {
  const char* file;
  char** args;
  char** env;
  int cgroup;
  uint64_t memoryNodes;
  bool quiet;
  // Where its own opening of our standard input begins; -1 = that is no regular file.
  off_t inputStart;
  int go;
  int status;
};

[[noreturn]] void fail(int status) {
  const int error = errno;
  if (write(status, &error, sizeof error) < 0) _exit(126);
  _exit(127);
}

// Runs between fork and exec: async-signal-safe calls only.
[[noreturn]] void becomeProgram(const Child& child) {
  // Handlers of ours mean nothing there, and what the runtime ignores (SIGPIPE) would stay ignored.
  for (int number = 1; number < 32; number++) {
    if (number != SIGKILL && number != SIGSTOP) signal(number, SIG_DFL);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  // The runtime marks its standard files to be closed by exec, and may have made them non-blocking, which programs do not expect.
  for (int fd = 0; fd < 3; fd++) {
    fcntl(fd, F_SETFD, 0);
    const int flags = fcntl(fd, F_GETFL);
    if (flags >= 0 && (flags & O_NONBLOCK) != 0) fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
  }
  if (child.quiet) {
    const int nothing = open("/dev/null", O_RDWR);
    // A duplicate would share its offset with the other runs.
    const int input = child.inputStart < 0 ? -1 : open("/proc/self/fd/0", O_RDONLY | O_CLOEXEC);
    if (input >= 0) lseek(input, child.inputStart, SEEK_SET);
    dup2(input >= 0 ? input : nothing, 0);
    for (int fd = 1; fd < 3; fd++) dup2(nothing, fd);
    if (nothing > 2) close(nothing);
  }
  if (child.cgroup >= 0 && write(child.cgroup, "0", 1) < 0) fail(child.status);
  if (child.memoryNodes != 0) {
    const unsigned long nodes = child.memoryNodes;
    if (syscall(SYS_set_mempolicy, kBind, &nodes, 65) != 0) fail(child.status);
  }
  char byte;
  ssize_t got = read(child.go, &byte, 1);
  while (got < 0 && errno == EINTR) got = read(child.go, &byte, 1);
  if (got != 1) _exit(125);
  // execvp would hand a file that is no program to a shell.
  if (std::strchr(child.file, '/') != nullptr) execve(child.file, child.args, child.env);
  else execvpe(child.file, child.args, child.env);
  fail(child.status);
}

off_t inputStart() {
  struct stat input;
  return fstat(0, &input) == 0 && S_ISREG(input.st_mode) ? lseek(0, 0, SEEK_CUR) : -1;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (const std::string& text : texts) list.push_back(const_cast<char*>(text.c_str()));
  list.push_back(nullptr);
  return list;
}

}  // namespace

Spawned spawnWaiting(const SpawnRequest& request) {
  int go[2];
  int status[2];
  if (pipe2(go, O_CLOEXEC) != 0) return {};
  if (pipe2(status, O_CLOEXEC) != 0) {
    close(go[0]);
    close(go[1]);
    return {};
  }
  const int cgroup = request.cgroupProcs.empty() ? -1 : open(request.cgroupProcs.c_str(), O_WRONLY | O_CLOEXEC);
  std::vector<char*> args = pointers(request.args);
  std::vector<char*> env = pointers(request.env);
  // Before any run has read of it.
  static const off_t start = inputStart();
  const Child child = {request.file.c_str(), args.data(), env.data(), cgroup, request.memoryNodes, request.quiet, start, go[0], status[1]};
  // No handler of the runtime may run in the child before the handlers are gone.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = fork();
  if (pid == 0) {
    close(go[1]);
    becomeProgram(child);
  }
  const int error = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (cgroup >= 0) close(cgroup);
  close(go[0]);
  close(status[1]);
  if (pid < 0) {
    close(go[1]);
    close(status[0]);
    errno = error;
    return {};
  }
  return {pid, go[1], status[0]};
}

int letGo(Spawned& spawned) {
  // A child that failed early holds no reader: EPIPE, and its errno waits.
  const bool gone = write(spawned.go, "g", 1) != 1;
  close(spawned.go);
  int error = 0;
  ssize_t got = read(spawned.status, &error, sizeof error);
  while (got < 0 && errno == EINTR) got = read(spawned.status, &error, sizeof error);
  close(spawned.status);
  spawned.go = spawned.status = -1;
  if (got == static_cast<ssize_t>(sizeof error)) return error;
  return gone ? EPIPE : 0;
}

Ended reap(pid_t pid) {
  siginfo_t info;
  std::memset(&info, 0, sizeof info);
  Ended result;
  // The C library's waitid gives no rusage; the kernel's does.
  const long failed = syscall(SYS_waitid, P_PID, pid, &info, WEXITED | WNOHANG, &result.usage);
  if (failed != 0 || info.si_pid != pid) return result;
  result.ended = true;
  if (info.si_code == CLD_EXITED) result.code = info.si_status;
  else result.signal = info.si_status;
  return result;
}

}  // namespace nibblemark
