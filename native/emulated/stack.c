// Finds the x86-64 instructions that touch the top of the stack only: pushes, pops, calls, returns and plain [rsp + constant]. Their
// lines stay in the first level, so following them costs much and shows nothing (docs/emulated.md, "What is left out").
// Encodings: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, chapter 2.

#include "watch.h"

enum { MOST_BYTES = 16, RSP = 4, NO_INDEX = 4 };

/** Prefixes of one instruction, and the bytes after them. */
typedef struct {
  const uint8_t *rest;
  /** Extension bits of base and index register; `segment`: the address is not in the flat space. */
  bool base_extended, index_extended, segment;
  /** The opcode is of the two- and three-byte maps, all of which have a ModRM byte where it matters here. */
  bool long_map;
} Prefixes;

static bool is_plain_prefix(uint8_t byte) {
  return byte == 0x66 || byte == 0xf2 || byte == 0xf3 || byte == 0xf0 || byte == 0x2e || byte == 0x3e;
}

static Prefixes prefixes_of(const uint8_t *bytes) {
  Prefixes p = { .rest = bytes };
  while (is_plain_prefix(*p.rest) || *p.rest == 0x64 || *p.rest == 0x65 || *p.rest == 0x67) {
    p.segment |= *p.rest == 0x64 || *p.rest == 0x65 || *p.rest == 0x67;
    p.rest++;
  }
  if ((*p.rest & 0xf0) == 0x40) {
    p.base_extended = *p.rest & 1;
    p.index_extended = *p.rest & 2;
    p.rest++;
  }
  if (*p.rest == 0xc5 || *p.rest == 0xc4) {
    p.long_map = true;
    p.base_extended = *p.rest == 0xc4 && !(p.rest[1] & 0x20);
    p.index_extended = *p.rest == 0xc4 && !(p.rest[1] & 0x40);
    p.rest += *p.rest == 0xc4 ? 3 : 2;
  } else if (*p.rest == 0x0f) {
    p.long_map = true;
    p.rest += p.rest[1] == 0x38 || p.rest[1] == 0x3a ? 2 : 1;
  }
  return p;
}

/** Opcodes of the one-byte map with a ModRM byte. */
static bool has_modrm(uint8_t opcode) {
  if (opcode < 0x40) return (opcode & 7) < 4;
  if (opcode >= 0x80 && opcode < 0x90) return true;
  if (opcode >= 0xd0 && opcode < 0xe0) return opcode < 0xd4 || opcode > 0xd7;
  return opcode == 0x63 || opcode == 0x69 || opcode == 0x6b || opcode == 0xc0 || opcode == 0xc1 || opcode == 0xc6 ||
         opcode == 0xc7 || opcode == 0xf6 || opcode == 0xf7 || opcode == 0xfe || opcode == 0xff;
}

/** push and pop of registers and constants, call, ret, leave. */
static bool moves_stack(uint8_t opcode) {
  return (opcode & 0xf0) == 0x50 || opcode == 0x68 || opcode == 0x6a || opcode == 0xe8 || opcode == 0xc2 || opcode == 0xc3 ||
         opcode == 0xc9;
}

static bool is_at_stack_pointer(const Prefixes *p, uint8_t modrm, uint8_t sib) {
  return modrm >> 6 != 3 && (modrm & 7) == 4 && (sib & 7) == RSP && !p->base_extended && (sib >> 3 & 7) == NO_INDEX && !p->index_extended;
}

bool touches_stack_top(const plugin_insn *insn) {
  uint8_t bytes[MOST_BYTES + 4] = {0};
  const size_t size = qemu_plugin_insn_size(insn);
  if (is_arm || size > MOST_BYTES) return false;
#if PLUGIN_API < 3
  memcpy(bytes, qemu_plugin_insn_data(insn), size);
#else
  qemu_plugin_insn_data(insn, bytes, size);
#endif
  const Prefixes p = prefixes_of(bytes);
  if (p.segment) return false;
  if (!p.long_map && moves_stack(*p.rest)) return true;
  return (p.long_map || has_modrm(*p.rest)) && is_at_stack_pointer(&p, p.rest[1], p.rest[2]);
}
