// System calls of the watched program that matter here: mappings and their names, threads, children and the end.

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "watch.h"

enum { MAP_CALL, UNMAP_CALL, REMAP_CALL, ATTACH_CALL, BRK_CALL, CLONE_CALL, FORK_CALL, VFORK_CALL, EXEC_CALL, EXEC_AT_CALL, EXIT_CALL, EXIT_GROUP_CALL, CALLS };
enum { SHARES_MEMORY = 0x100, IS_VFORK = 0x4000, IS_SHARED = 1, IS_ANONYMOUS = 0x20 };

/** [target][call]; x86-64 and arm64 as in the kernel's tables. -1: the target has no such call. */
static const int64_t numbers[2][CALLS] = {
  { 9, 11, 25, 30, 12, 56, 57, 58, 59, 322, 60, 231 },
  { 222, 215, 216, 196, 214, 220, -1, -1, 221, 281, 93, 94 },
};
bool is_arm;

/** Arguments of the call that this thread is in. */
static _Thread_local uint64_t arguments[6];
static uint64_t heap_start, heap_end;

static bool is_call(int64_t number, int call) { return numbers[is_arm][call] == number; }

static void write_map(uint64_t start, uint64_t bytes, const char *name) {
  char text[2 * PATH_MAX + 256];
  int length = sprintf(text, "{\"map\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"name\":\"", start, bytes);
  for (; *name; name++) {
    const unsigned char c = (unsigned char)*name;
    if (c == '"' || c == '\\' || c < 32) length += sprintf(text + length, "\\u%04x", c);
    else text[length++] = (char)c;
  }
  length += sprintf(text + length, "\"}\n");
  write_line(&watch.output, text, (size_t)length);
}

static void write_unmap(uint64_t start, uint64_t bytes) {
  char text[128];
  write_line(&watch.output, text, (size_t)sprintf(text, "{\"unmap\":%" PRIu64 ",\"bytes\":%" PRIu64 "}\n", start, bytes));
}

/** What QEMU mapped before the program ran: its file, its loader and its stack, below where QEMU itself lies. */
static void write_first_maps(void) {
  enum { HIGHEST = 0x50 };
  FILE *maps = fopen("/proc/self/maps", "re");
  char line[PATH_MAX + 128];
  while (maps && fgets(line, sizeof line, maps)) {
    uint64_t start, end;
    int name = 0;
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %*s %*s %*s %n", &start, &end, &name) < 2 || start >> 40 >= HIGHEST) continue;
    line[strcspn(line, "\n")] = 0;
    write_map(start, end - start, name > 0 ? line + name : "");
  }
  if (maps) fclose(maps);
}

static void name_of_file(int file, char *name, size_t room) {
  char link[64];
  sprintf(link, "/proc/self/fd/%d", file);
  const ssize_t length = readlink(link, name, room - 1);
  name[length > 0 ? length : 0] = 0;
}

static void mapped(const uint64_t *a, uint64_t start) {
  char name[PATH_MAX] = "";
  if (!(a[3] & IS_ANONYMOUS)) name_of_file((int)a[4], name, sizeof name);
  write_map(start, (a[1] + 4095) & ~4095ull, name);
}

static void moved_heap(uint64_t end) {
  if (heap_start == 0) heap_start = end;
  if (end > heap_end && heap_end) write_map(heap_start, end - heap_start, "[heap]");
  heap_end = end;
}

/** In the child of a fork: its own file, and nothing counted yet. Threads of the parent may have held locks. */
static void follow_child(void) {
  watch.output.child = true;
  if (!open_output(&watch.output)) return;
  begin_output(&watch.output, &watch.llc, watch.sample_shift, watch.epoch_instructions);
  write_first_maps();
  memset(watch.llc.locks, 0, LOCKS);
  for (int i = 0; i < THREADS; i++) {
    Recorder *r = &watch.recorders[i];
    r->locked = false;
    r->queued = 0;
    forget(r, instructions_of(r));
  }
}

/** `exec`: a program is about to go on without an emulator, so that nothing more is counted of this process. `stayed`: it was none. */
static void write_exec(const char *what) {
  char text[64];
  write_line(&watch.output, text, (size_t)sprintf(text, "{\"%s\":%d}\n", what, (int)getpid()));
}

static bool is_exec(int64_t number) {
  return is_call(number, EXEC_CALL) || is_call(number, EXEC_AT_CALL);
}

/**
 * QEMU translates everything anew, for several threads, at the first clone, or before that at the first memory that other processes
 * share, and then not again.
 */
static void note_threads(int64_t number, uint64_t first, uint64_t fourth) {
  if (is_call(number, CLONE_CALL) && (first & SHARES_MEMORY) && !(first & IS_VFORK)) watch.threaded = watch.for_threads = true;
  if ((is_call(number, MAP_CALL) && (fourth & IS_SHARED)) || is_call(number, ATTACH_CALL)) watch.for_threads = true;
}

void before_syscall(plugin_id id, unsigned cpu, int64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                    uint64_t f, uint64_t g, uint64_t h) {
  static bool begun;
  (void)id, (void)g, (void)h;
  if (!begun) {
    begun = true;
    write_first_maps();
  }
  const uint64_t given[6] = { a, b, c, d, e, f };
  memcpy(arguments, given, sizeof given);
  note_threads(number, a, d);
  if (is_exec(number)) {
    end_all_epochs(cpu);
    write_exec("exec");
  }
  // While a thread waits, or when it was the last that another ends, nothing of it is left behind.
  drain(recorder_of(cpu));
  if (is_call(number, EXIT_CALL)) end_epoch(recorder_of(cpu), true);
  if (is_call(number, EXIT_GROUP_CALL)) end_all_epochs(cpu);
}

void after_syscall(plugin_id id, unsigned cpu, int64_t number, int64_t result) {
  const uint64_t *a = arguments;
  (void)id, (void)cpu;
  if (result < 0 && result > -4096) {
    // A search of PATH tries folder after folder.
    if (is_exec(number)) write_exec("stayed");
    return;
  }
  if (is_call(number, MAP_CALL)) mapped(a, (uint64_t)result);
  else if (is_call(number, UNMAP_CALL)) write_unmap(a[0], a[1]);
  else if (is_call(number, REMAP_CALL)) {
    write_unmap(a[0], a[1]);
    write_map((uint64_t)result, a[2], "");
  } else if (is_call(number, BRK_CALL)) moved_heap((uint64_t)result);
  else if (result == 0 && (is_call(number, FORK_CALL) || is_call(number, VFORK_CALL) || is_call(number, CLONE_CALL))) follow_child();
}
