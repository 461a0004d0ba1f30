// What an x86-64 instruction loads or stores, and which general registers it may write: told for the common ones only, of all others
// the worst is assumed.
// Encodings: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, appendix A (opcode maps).

#include "groups.h"
#include "prefixes.h"

enum { RAX = 1, RDX = 4, ALL = 0xffff, ABSOLUTE = 16, NONE = 17 };

typedef struct { unsigned reg, rm, digit; bool is_memory; } ModRm;

static unsigned bit(unsigned reg) { return 1u << reg; }

/** Byte registers 4 to 7 may be the second bytes of 0 to 3. */
static unsigned byte_bit(unsigned reg) { return 1u << reg | 1u << (reg & 3); }

static ModRm modrm_of(const Prefixes *p) {
  const uint8_t byte = p->rest[1];
  return (ModRm){ (byte >> 3 & 7) | (unsigned)p->reg_extended << 3, (byte & 7) | (unsigned)p->base_extended << 3, byte >> 3 & 7, byte >> 6 != 3 };
}

/** Base, index, scale and displacement; `end`: where the instruction ends in memory. */
static void read_address(const Prefixes *p, uint64_t end, Operand *o) {
  const uint8_t *at = p->rest + 1, mode = *at >> 6;
  unsigned base = *at & 7;
  o->index = NONE;
  at++;
  if (base == 4) {
    const unsigned index = (*at >> 3 & 7) | (unsigned)p->index_extended << 3;
    base = *at & 7;
    if (index != 4) o->index = (uint8_t)index;
    o->scale = *at++ >> 6;
  } else if (mode == 0 && base == 5) {
    int32_t offset;
    memcpy(&offset, at, 4);
    o->base = ABSOLUTE;
    o->offset = (int64_t)end + offset;
    return;
  }
  o->base = (uint8_t)(base | (unsigned)p->base_extended << 3);
  int32_t far = 0;
  if (mode == 1) far = (int8_t)*at;
  else if (mode == 2 || base == 5) memcpy(&far, at, 4);
  if (mode == 0 && base == 5) o->base = NONE;
  o->offset = far;
}

static void set(Operand *o, AccessKind kind, unsigned bytes, unsigned writes) {
  o->kind = kind;
  o->bytes = (uint8_t)bytes;
  o->writes = writes;
}

/** Of the one-byte map; registers that it writes when its operand is a register are given so too. */
static void one_byte(const Prefixes *p, ModRm m, unsigned word, Operand *o) {
  const uint8_t code = *p->rest;
  const bool byte = !(code & 1);
  const unsigned size = byte ? 1 : word, reg = byte ? byte_bit(m.reg) : bit(m.reg);
  const unsigned rm = m.is_memory ? 0 : byte ? byte_bit(m.rm) : bit(m.rm);
  if (code < 0x40 && (code & 7) < 6) {
    const bool compares = code >> 3 == 7;
    if ((code & 7) >= 4) set(o, NOT_GROUPED, 0, compares ? 0 : RAX);
    else if ((code & 7) >= 2) set(o, LOADS, size, compares ? 0 : reg);
    else set(o, compares ? LOADS : NOT_GROUPED, size, compares ? 0 : rm);
    return;
  }
  switch (code) {
    case 0x63: set(o, LOADS, 4, bit(m.reg)); break;
    case 0x69: case 0x6b: set(o, LOADS, word, bit(m.reg)); break;
    case 0x80: case 0x81: case 0x83: set(o, m.digit == 7 ? LOADS : NOT_GROUPED, code == 0x80 ? 1 : word, m.digit == 7 ? 0 : m.is_memory ? 0 : byte_bit(m.rm)); break;
    case 0x84: case 0x85: set(o, LOADS, size, 0); break;
    case 0x88: case 0x89: set(o, STORES, size, rm); break;
    case 0x8a: case 0x8b: set(o, LOADS, size, reg); break;
    case 0x8d: set(o, NOT_GROUPED, 0, bit(m.reg)); break;
    case 0x98: set(o, NOT_GROUPED, 0, RAX); break;
    case 0x99: set(o, NOT_GROUPED, 0, RDX); break;
    case 0xa8: case 0xa9: set(o, NOT_GROUPED, 0, 0); break;
    case 0xc0: case 0xc1: case 0xd0: case 0xd1: case 0xd2: case 0xd3: set(o, NOT_GROUPED, 0, rm); break;
    case 0xc6: case 0xc7: if (m.digit == 0) set(o, STORES, size, rm); break;
    case 0xf6: case 0xf7:
      if (m.digit < 2) set(o, LOADS, size, 0);
      else if (m.digit < 4) set(o, NOT_GROUPED, 0, rm);
      else set(o, LOADS, size, RAX | RDX);
      break;
    case 0xfe: case 0xff: if (m.digit < 2) set(o, NOT_GROUPED, 0, rm); break;
    default:
      if (code >= 0x70 && code < 0x80) set(o, NOT_GROUPED, 0, 0);
      else if (code >= 0xb0 && code < 0xc0) set(o, NOT_GROUPED, 0, byte_bit((code & 7) | (unsigned)p->base_extended << 3));
  }
}

/** Bytes of a scalar or packed SSE operand. */
static unsigned sse_bytes(const Prefixes *p) { return p->repeat == 0xf3 ? 4 : p->repeat == 0xf2 ? 8 : 16; }

/** Of the map 0f. */
static void two_bytes(const Prefixes *p, ModRm m, unsigned word, Operand *o) {
  const uint8_t code = *p->rest;
  const unsigned whole = p->operand_size || p->repeat ? 16 : 8;
  if (code >= 0x40 && code < 0x50) set(o, LOADS, word, bit(m.reg));
  else if (code >= 0x51 && code < 0x60) set(o, code == 0x5a || code == 0x5b ? NOT_GROUPED : LOADS, code >= 0x54 && code < 0x58 ? 16 : sse_bytes(p), 0);
  else if (code >= 0x80 && code < 0x90) set(o, NOT_GROUPED, 0, 0);
  else if (code >= 0x90 && code < 0xa0) set(o, NOT_GROUPED, 0, m.is_memory ? 0 : byte_bit(m.rm));
  else if (code >= 0xc8 && code < 0xd0) set(o, NOT_GROUPED, 0, bit((code & 7) | (unsigned)p->base_extended << 3));
  else switch (code) {
    case 0x10: set(o, LOADS, sse_bytes(p), 0); break;
    case 0x11: set(o, STORES, sse_bytes(p), 0); break;
    case 0x12: case 0x13: case 0x14: case 0x15: case 0x16: case 0x17: case 0x18: case 0x1e: case 0x1f: set(o, NOT_GROUPED, 0, 0); break;
    case 0x28: set(o, LOADS, 16, 0); break;
    case 0x29: set(o, STORES, 16, 0); break;
    case 0x2a: set(o, p->repeat ? LOADS : NOT_GROUPED, p->wide ? 8 : 4, 0); break;
    case 0x2c: case 0x2d: set(o, p->repeat ? LOADS : NOT_GROUPED, sse_bytes(p), bit(m.reg)); break;
    case 0x2e: case 0x2f: set(o, LOADS, p->operand_size ? 8 : 4, 0); break;
    case 0x6e: set(o, LOADS, p->wide ? 8 : 4, 0); break;
    case 0x6f: set(o, LOADS, whole, 0); break;
    case 0x7f: set(o, STORES, whole, 0); break;
    case 0x7e:
      if (p->repeat == 0xf3) set(o, LOADS, 8, 0);
      else set(o, STORES, p->wide ? 8 : 4, m.is_memory ? 0 : bit(m.rm));
      break;
    case 0xaf: set(o, LOADS, word, bit(m.reg)); break;
    case 0xb6: case 0xbe: set(o, LOADS, 1, bit(m.reg)); break;
    case 0xb7: case 0xbf: set(o, LOADS, 2, bit(m.reg)); break;
    case 0xd6: set(o, p->operand_size ? STORES : NOT_GROUPED, 8, 0); break;
    default:
      // Packed integers, but for pmovmskb and the moves with other sizes.
      if ((code >= 0x60 && code < 0x6e) || (code >= 0x74 && code < 0x77) || (code > 0xd0 && code != 0xd7 && code != 0xe7 && code != 0xff))
        set(o, p->operand_size && code != 0xf0 && code != 0xe6 && code != 0xf7 ? LOADS : NOT_GROUPED, 16, code == 0xf7 ? ALL : 0);
      else if (code >= 0x70 && code < 0x74) set(o, NOT_GROUPED, 0, 0);
  }
}

Operand operand_of(const plugin_insn *insn) {
  Operand o = { .kind = NOT_GROUPED, .writes = ALL };
  uint8_t bytes[ROOM];
  if (is_arm || !bytes_of(insn, bytes)) return o;
  const Prefixes p = prefixes_of(bytes);
  if (p.vex || p.map > 1) return o;
  const unsigned word = p.wide ? 8 : p.operand_size ? 2 : 4;
  const ModRm m = modrm_of(&p);
  if (p.map == 0) one_byte(&p, m, word, &o);
  else two_bytes(&p, m, word, &o);
  if (o.kind == NOT_GROUPED) return o;
  if (!m.is_memory || p.segment) o.kind = NOT_GROUPED;
  else read_address(&p, qemu_plugin_insn_vaddr(insn) + qemu_plugin_insn_size(insn), &o);
  return o;
}
