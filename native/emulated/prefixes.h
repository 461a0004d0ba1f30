// Bytes of an x86-64 instruction and what stands before its opcode.
// Encodings: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, chapter 2.
#ifndef NIBBLEMARK_PREFIXES_H
#define NIBBLEMARK_PREFIXES_H

#include <string.h>
#include "qemu.h"

enum { MOST_BYTES = 16, ROOM = 24, UNKNOWN_MAP = 9 };

/** Prefixes of one instruction, and the bytes after them, the opcode first. */
typedef struct {
  const uint8_t *rest;
  /** Of the opcode: 0 = one byte, 1 = 0f, 2 = 0f 38, 3 = 0f 3a. */
  unsigned map;
  /** Extension bits of the three register fields. `segment`: the address is not in the flat space, or has 32 bits. */
  bool reg_extended, base_extended, index_extended, segment;
  bool wide, operand_size, vex;
  /** 0xf2, 0xf3, or 0. */
  uint8_t repeat;
} Prefixes;

/** Into `bytes` of ROOM, zeros behind; false where it is too long. */
static inline bool bytes_of(const plugin_insn *insn, uint8_t *bytes) {
  const size_t size = qemu_plugin_insn_size(insn);
  if (size > MOST_BYTES) return false;
  memset(bytes, 0, ROOM);
#if PLUGIN_API < 3
  memcpy(bytes, qemu_plugin_insn_data(insn), size);
#else
  qemu_plugin_insn_data(insn, bytes, size);
#endif
  return true;
}

static inline bool take_prefix(Prefixes *p) {
  switch (*p->rest) {
    case 0x66: p->operand_size = true; break;
    case 0xf2: case 0xf3: p->repeat = *p->rest; break;
    case 0xf0: case 0x2e: case 0x3e: break;
    case 0x64: case 0x65: case 0x67: p->segment = true; break;
    default: return false;
  }
  p->rest++;
  return true;
}

/** c5 and c4; their bits are inverted. */
static inline void take_vex(Prefixes *p) {
  const bool three = *p->rest == 0xc4;
  p->vex = true;
  p->map = three ? p->rest[1] & 31 : 1;
  p->reg_extended = !(p->rest[1] & 0x80);
  p->base_extended = three && !(p->rest[1] & 0x20);
  p->index_extended = three && !(p->rest[1] & 0x40);
  p->rest += three ? 3 : 2;
}

static inline Prefixes prefixes_of(const uint8_t *bytes) {
  Prefixes p = { .rest = bytes };
  while (take_prefix(&p)) continue;
  if ((*p.rest & 0xf0) == 0x40) {
    p.base_extended = *p.rest & 1;
    p.index_extended = *p.rest & 2;
    p.reg_extended = *p.rest & 4;
    p.wide = *p.rest & 8;
    p.rest++;
  }
  if (*p.rest == 0xc5 || *p.rest == 0xc4) take_vex(&p);
  else if (*p.rest == 0x0f) {
    p.map = p.rest[1] == 0x38 ? 2 : p.rest[1] == 0x3a ? 3 : 1;
    p.rest += p.map == 1 ? 1 : 2;
  }
  return p;
}

#endif
