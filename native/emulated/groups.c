// Finds the groups of a block; see groups.h.

#include "groups.h"

enum { OPEN = 16 };

/** A group that may still grow: its first access, and the bytes [low, high) that it touches, by offset. */
typedef struct {
  size_t leader;
  Operand first;
  int64_t low, high;
} Open;

static bool same_registers(const Operand *a, const Operand *b) {
  return a->kind == b->kind && a->base == b->base && a->index == b->index && a->scale == b->scale;
}

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

static bool joins(Open *one, const Operand *o) {
  const int64_t low = least(one->low, o->offset), high = most(one->high, o->offset + o->bytes);
  if (!same_registers(&one->first, o) || high - low > GROUP_BYTES) return false;
  one->low = low;
  one->high = high;
  return true;
}

static bool uses(const Operand *o, unsigned registers) {
  return (o->base < 16 && registers >> o->base & 1) || (o->index < 16 && registers >> o->index & 1);
}

void group(Grouping *groups, plugin_tb *block, size_t count) {
  Open open[OPEN];
  size_t used = 0;
  memset(groups, 0, count * sizeof *groups);
  for (size_t i = 0; i < count; i++) {
    const plugin_insn *insn = qemu_plugin_tb_get_insn(block, i);
    const Operand o = operand_of(insn);
    size_t at = 0;
    if (o.kind != NOT_GROUPED && !touches_stack_top(insn)) {
      while (at < used && !joins(&open[at], &o)) at++;
      if (at < used) {
        const Open *one = &open[at];
        Grouping *leader = &groups[one->leader];
        groups[i].told_by_another = leader->leads = true;
        leader->from = (int8_t)(one->low - one->first.offset);
        leader->to = (int8_t)(one->high - 1 - one->first.offset);
      } else if (used < OPEN) open[used++] = (Open){ i, o, o.offset, o.offset + o.bytes };
    }
    // What is written now has another value from here on.
    for (size_t j = used; j-- > 0;) if (uses(&open[j].first, o.writes)) open[j] = open[--used];
  }
}
