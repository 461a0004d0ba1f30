// Accesses of a block whose addresses lie known distances apart, as they use the same registers with the same values: one callback tells
// of all of them.
#ifndef NIBBLEMARK_GROUPS_H
#define NIBBLEMARK_GROUPS_H

#include "watch.h"

typedef enum { NOT_GROUPED, LOADS, STORES } AccessKind;

/** base + index << scale + offset, so many bytes. */
typedef struct {
  AccessKind kind;
  uint8_t base, index, scale, bytes;
  int64_t offset;
  /** Bits of general registers that the instruction may write. */
  unsigned writes;
} Operand;

Operand operand_of(const plugin_insn *);

enum { MOST_INSTRUCTIONS = 512, GROUP_BYTES = 64 };

/** For each instruction of a block: the first byte before and the last byte behind its own address that its group touches. */
typedef struct {
  bool told_by_another, leads;
  int8_t from, to;
} Grouping;

void group(Grouping *, plugin_tb *, size_t count);

#endif
