// First process of the arm64 test machine: mounts what tests need, runs Node on the script that the kernel's command line names
// (GUEST=path), and switches the machine off.
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
  const char *script = getenv("GUEST");
  mkdir("/proc", 0755), mkdir("/sys", 0755), mkdir("/dev", 0755), mkdir("/tmp", 01777);
  mount("proc", "/proc", "proc", 0, NULL);
  mount("sysfs", "/sys", "sysfs", 0, NULL);
  mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
  mount("tmpfs", "/tmp", "tmpfs", 0, NULL);
  const pid_t child = fork();
  if (child == 0) {
    setenv("HOME", "/tmp", 1), setenv("PATH", "/bin", 1);
    execl("/bin/node", "node", script ? script : "/missing", NULL);
    perror("node");
    _exit(127);
  }
  int status;
  while (wait(&status) != child);
  printf("@@end %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
  fflush(stdout);
  sync();
  reboot(RB_POWER_OFF);
  return 0;
}
