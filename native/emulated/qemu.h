// What this plugin uses of QEMU's plugin interface (version 1, QEMU 4.2 to 8; version 2 and later where PLUGIN_API says so), declared
// in our own words: Debian ships no header for it. All names are resolved by QEMU when it loads the plugin.
#ifndef NIBBLEMARK_QEMU_H
#define NIBBLEMARK_QEMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t plugin_id;
typedef struct qemu_plugin_tb plugin_tb;
typedef struct qemu_plugin_insn plugin_insn;

/** First member of what `qemu_plugin_install` is told; the rest is not needed here. */
typedef struct { const char *target_name; } plugin_info;

enum { NO_REGISTERS = 0, READS_AND_WRITES = 3, INLINE_ADD = 0 };

typedef void on_translation(plugin_id, plugin_tb *);
typedef void on_block(unsigned cpu, void *data);
typedef void on_access(unsigned cpu, uint32_t info, uint64_t address, void *data);
/** Bits of an access's `info` that tell a store and the size; held against QEMU's own functions at the start. */
enum { STORE_BIT = 17, SIZE_BIT = 4, SIZE_MASK = 7 };
typedef void on_syscall(plugin_id, unsigned cpu, int64_t number, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                        uint64_t, uint64_t, uint64_t);
typedef void on_syscall_return(plugin_id, unsigned cpu, int64_t number, int64_t result);

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, on_translation *);
void qemu_plugin_register_vcpu_tb_exec_cb(plugin_tb *, on_block *, int flags, void *data);
#if PLUGIN_API < 2
void qemu_plugin_register_vcpu_tb_exec_inline(plugin_tb *, int operation, void *counter, uint64_t amount);
#endif
void qemu_plugin_register_vcpu_mem_cb(plugin_insn *, on_access *, int flags, int which, void *data);
unsigned qemu_plugin_mem_size_shift(uint32_t info);
bool qemu_plugin_mem_is_store(uint32_t info);
void qemu_plugin_register_vcpu_syscall_cb(plugin_id, on_syscall *);
void qemu_plugin_register_vcpu_syscall_ret_cb(plugin_id, on_syscall_return *);
void qemu_plugin_register_atexit_cb(plugin_id, void (*)(plugin_id, void *), void *);
size_t qemu_plugin_tb_n_insns(const plugin_tb *);
plugin_insn *qemu_plugin_tb_get_insn(const plugin_tb *, size_t);
uint64_t qemu_plugin_insn_vaddr(const plugin_insn *);
size_t qemu_plugin_insn_size(const plugin_insn *);
#if PLUGIN_API < 3
const void *qemu_plugin_insn_data(const plugin_insn *);
#else
size_t qemu_plugin_insn_data(const plugin_insn *, void *to, size_t length);
#endif

#endif
