// Finds the x86-64 instructions that touch the top of the stack only: pushes, pops, calls, returns and plain [rsp + constant]. Their
// lines stay in the first level, so following them costs much and shows nothing (docs/emulated.md, "What is left out").
// Encodings: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, chapter 2.

#include "prefixes.h"
#include "watch.h"

enum { RSP = 4, NO_INDEX = 4 };

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
  uint8_t bytes[ROOM];
  if (is_arm || !bytes_of(insn, bytes)) return false;
  const Prefixes p = prefixes_of(bytes);
  if (p.segment) return false;
  if (p.map == 0 && moves_stack(*p.rest)) return true;
  return (p.map != 0 || has_modrm(*p.rest)) && is_at_stack_pointer(&p, p.rest[1], p.rest[2]);
}
