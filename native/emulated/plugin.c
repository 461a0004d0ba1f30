// The emulated counter source inside QEMU user mode: every load and store of the watched program goes through a first-level cache of
// its thread and, where that misses, through the shared last-level cache model. docs/emulated.md tells the options and what is
// written.

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include "groups.h"
#include "watch.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT int qemu_plugin_version = PLUGIN_API;

// Zero in the file, so that megabytes of caches take no room there; set_defaults() gives the rest.
Watch watch;

static void set_defaults(void) {
  watch.l1_ways = L1_MOST_WAYS;
  watch.groups = 1;
  watch.epoch_instructions = 5000000;
  watch.output.chunk_bits = 16;
  watch.output.file = -1;
}

/** Zeroed places for what instructions touched last; code that QEMU translates again gets new ones. */
static void *new_place(size_t bytes) {
  enum { MANY = 1 << 18 };
  static char *places;
  static size_t left;
  if (left < bytes) {
    places = calloc(1, MANY);
    left = MANY;
  }
  left -= bytes;
  return places + left;
}

static void follow_group(plugin_insn *insn, const Grouping *one) {
  Group *group = new_place(sizeof *group);
  group->from = one->from;
  group->to = one->to;
  qemu_plugin_register_vcpu_mem_cb(insn, watch.for_threads ? on_group : on_group_alone, NO_REGISTERS, READS_AND_WRITES, group);
}

static void count_block(unsigned cpu, void *instructions) { recorder_of(cpu)->instructions += (uint64_t)instructions; }

/** QEMU calls this under a lock. */
static void translate(plugin_id id, plugin_tb *block) {
  (void)id;
  const size_t count = qemu_plugin_tb_n_insns(block);
#if PLUGIN_API < 2
  if (!watch.for_threads) qemu_plugin_register_vcpu_tb_exec_inline(block, INLINE_ADD, &watch.alone_instructions, count);
  else
#endif
    qemu_plugin_register_vcpu_tb_exec_cb(block, count_block, NO_REGISTERS, (void *)count);
  static Grouping groups[MOST_INSTRUCTIONS];
  const size_t grouped = watch.groups && count <= MOST_INSTRUCTIONS ? count : 0;
  group(groups, block, grouped);
  for (size_t i = 0; i < count; i++) {
    plugin_insn *insn = qemu_plugin_tb_get_insn(block, i);
    if (touches_stack_top(insn) || (i < grouped && groups[i].told_by_another)) continue;
    if (i < grouped && groups[i].leads) follow_group(insn, &groups[i]);
    // QEMU 7.2 calls for loads and stores whatever is asked for, so one callback takes both.
    else qemu_plugin_register_vcpu_mem_cb(insn, watch.for_threads ? on_memory : on_memory_alone, NO_REGISTERS, READS_AND_WRITES, new_place(2 * sizeof(Last)));
  }
}

static void at_exit(plugin_id id, void *data) {
  (void)id;
  (void)data;
  end_all_epochs(0);
}

typedef struct { uint32_t sets, ways[SIZES]; } Shape;

static bool is_option(const char *text, Shape *shape) {
  if (!strncmp(text, "out=", 4)) {
    watch.output.path = strdup(text + 4);
    return true;
  }
  return sscanf(text, "sets=%u", &shape->sets) == 1 ||
         sscanf(text, "ways=%u:%u:%u", &shape->ways[0], &shape->ways[1], &shape->ways[2]) == 3 ||
         sscanf(text, "l1ways=%u", &watch.l1_ways) == 1 || sscanf(text, "sample=%u", &watch.sample_shift) == 1 ||
         sscanf(text, "groups=%u", &watch.groups) == 1 ||
         sscanf(text, "chunk=%u", &watch.output.chunk_bits) == 1 ||
         sscanf(text, "epoch=%lu", &watch.epoch_instructions) == 1;
}

static const char *problem_of(const Shape *shape) {
  const uint32_t *ways = shape->ways;
  if (shape->sets == 0 || (shape->sets & (shape->sets - 1))) return "sets must be a power of two";
  if (!(ways[0] > 0 && ways[0] < ways[1] && ways[1] < ways[2] && ways[2] < 1u << 16)) return "ways must rise";
  if (watch.l1_ways < 1 || watch.l1_ways > L1_MOST_WAYS) return "l1ways must be 1 to 12";
  if (watch.output.chunk_bits < 12 || watch.output.chunk_bits > 40) return "chunk must be 12 to 40 bits";
  if (watch.sample_shift > 6 || shape->sets >> watch.sample_shift == 0) return "sample must be 0 to 6 and leave a set";
  return watch.output.path ? NULL : "out=FILE is missing";
}

EXPORT int qemu_plugin_install(plugin_id id, const plugin_info *info, int count, char **options) {
  Shape shape = { 4096, { 4, 8, 12 } };
  const char *problem = strcmp(info->target_name, "x86_64") && strcmp(info->target_name, "aarch64") ? "64-bit programs only" : NULL;
  set_defaults();
  for (int i = 0; i < count && !problem; i++) if (!is_option(options[i], &shape)) problem = options[i];
  if (!problem) problem = problem_of(&shape);
  if (!qemu_plugin_mem_is_store(1u << STORE_BIT) || qemu_plugin_mem_size_shift(4u << SIZE_BIT) != 4) problem = "this version of QEMU tells accesses in a way that is not known";
  if (!problem && !open_output(&watch.output)) problem = "out=FILE cannot be written";
  if (problem) {
    fprintf(stderr, "nibblemark: %s\n", problem);
    return 1;
  }
#ifdef __x86_64__
  watch.has_wide_registers = __builtin_cpu_supports("avx");
#endif
  for (int i = 0; i < THREADS; i++) l1_open(&watch.first_level[i], watch.l1_ways);
  llc_open(&watch.llc, shape.sets, shape.ways);
  begin_output(&watch.output, &watch.llc, watch.sample_shift, watch.epoch_instructions);
  is_arm = info->target_name[0] == 'a';
  qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
  qemu_plugin_register_vcpu_syscall_cb(id, before_syscall);
  qemu_plugin_register_vcpu_syscall_ret_cb(id, after_syscall);
  qemu_plugin_register_atexit_cb(id, at_exit, NULL);
  return 0;
}
