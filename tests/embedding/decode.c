// Decodes with a made-up int4 decoder of any size over kernels.scalar.wasm as C: the traffic of our inference as a native program,
// for what counts memory. The op list is that of tests/epoch/fixture.ts.
//   decode HIDDEN HEADS FFN LAYERS VOCAB TOKENS      up to 64 tokens; what is set up does not depend on them

#include <stdio.h>
#include <stdlib.h>
#include "kernels.h"

enum { INT4_I8 = 0, NONE8 = 0, GROUP = 32, CONTEXT = 64, PAGE = 65536, ALIGN = 256 };

static Z_kernels_instance_t wasm;
static u32 end_of_memory, seed;
static u32 hidden, heads, ffn, layers, vocab, tokens;

static void *at(u32 address) { return Z_kernelsZ_memory(&wasm)->data + address; }

static u32 take(u32 bytes) {
  wasm_rt_memory_t *memory = Z_kernelsZ_memory(&wasm);
  u32 address = (end_of_memory + ALIGN - 1) / ALIGN * ALIGN;
  end_of_memory = address + bytes + ALIGN;
  u32 pages = (end_of_memory + PAGE - 1) / PAGE;
  if (pages > memory->pages && wasm_rt_grow_memory(memory, pages - memory->pages) == (u32)-1) exit(3);
  return address;
}

static u32 floats(u32 count, float value) {
  const u32 address = take(4 * count);
  float *to = at(address);
  for (u32 i = 0; i < count; i++) to[i] = value;
  return address;
}

static u32 weights(u32 rows, u32 cols) {
  const u32 address = take(rows / 8 * (cols / GROUP) * (GROUP * 4 + 16));
  Z_kernelsZ_syntheticInt4(&wasm, ++seed, 0, rows, cols, GROUP, address);
  return address;
}

typedef struct { u32 norm1, q, k, v, o, norm2, gate, up, down, keys, values; } Layer;
typedef struct { u32 x, n, q, k, v, a, gate, up, logits, rope, prepared; } State;

static Layer make_layer(void) {
  Layer l = { .norm1 = floats(hidden, 1), .norm2 = floats(hidden, 1) };
  l.q = weights(hidden, hidden), l.k = weights(hidden, hidden), l.v = weights(hidden, hidden), l.o = weights(hidden, hidden);
  l.gate = weights(ffn, hidden), l.up = weights(ffn, hidden), l.down = weights(hidden, ffn);
  l.keys = floats(CONTEXT * hidden, 0), l.values = floats(CONTEXT * hidden, 0);
  return l;
}

static void multiply(u32 weight, u32 x, u32 out, u32 rows, u32 cols, u32 prepared) {
  Z_kernelsZ_matmul(&wasm, INT4_I8, weight, 0, 0, x, out, rows, rows, cols, 1, GROUP, NONE8, prepared);
}

static void run_layer(const Layer *l, const State *s, u32 position) {
  const u32 head = hidden / heads;
  Z_kernelsZ_rmsnorm(&wasm, s->x, l->norm1, s->n, 1, hidden, 1e-5f);
  multiply(l->q, s->n, s->q, hidden, hidden, s->prepared);
  multiply(l->k, s->n, s->k, hidden, hidden, s->prepared);
  multiply(l->v, s->n, s->v, hidden, hidden, s->prepared);
  Z_kernelsZ_rope(&wasm, s->q, s->rope, 1, heads, head, 0);
  Z_kernelsZ_rope(&wasm, s->k, s->rope, 1, heads, head, 0);
  Z_kernelsZ_copyBytes(&wasm, l->keys + position * hidden * 4, s->k, hidden * 4);
  Z_kernelsZ_copyBytes(&wasm, l->values + position * hidden * 4, s->v, hidden * 4);
  Z_kernelsZ_attention(&wasm, s->q, l->keys, l->values, s->a, 1, position, position + 1, heads, heads, head, 1);
  multiply(l->o, s->a, s->n, hidden, hidden, s->prepared);
  Z_kernelsZ_add(&wasm, s->x, s->n, s->x, 1, hidden, 1);
  Z_kernelsZ_rmsnorm(&wasm, s->x, l->norm2, s->n, 1, hidden, 1e-5f);
  multiply(l->gate, s->n, s->gate, ffn, hidden, s->prepared);
  multiply(l->up, s->n, s->up, ffn, hidden, s->prepared);
  Z_kernelsZ_swiglu(&wasm, s->gate, s->up, s->gate, ffn);
  multiply(l->down, s->gate, s->n, hidden, ffn, s->prepared);
  Z_kernelsZ_add(&wasm, s->x, s->n, s->x, 1, hidden, 1);
}

int main(int count, char **args) {
  if (count != 7) return 2;
  u32 *sizes[] = { &hidden, &heads, &ffn, &layers, &vocab, &tokens };
  for (int i = 0; i < 6; i++) *sizes[i] = (u32)atoi(args[i + 1]);
  if (tokens > CONTEXT) return 2;
  wasm_rt_init();
  Z_kernels_init_module();
  Z_kernels_instantiate(&wasm);
  end_of_memory = Z_kernelsZ_heapBase(&wasm);
  Z_kernelsZ_setUp(&wasm, take(*Z_kernelsZ_CONTROL_BYTES(&wasm)), take(Z_kernelsZ_scratchBytes(&wasm, CONTEXT)), 0);
  Layer *layer = calloc(layers, sizeof *layer);
  for (u32 i = 0; i < layers; i++) layer[i] = make_layer();
  const u32 table = weights(vocab, hidden), widest = ffn > hidden ? ffn : hidden;
  const State s = { floats(hidden, 0), floats(hidden, 0), floats(hidden, 0), floats(hidden, 0), floats(hidden, 0), floats(hidden, 0),
    floats(ffn, 0), floats(ffn, 0), floats(vocab, 0), floats(hidden / heads, 0), take(Z_kernelsZ_preparedBytes(&wasm, widest, 1)) };
  for (u32 position = 0; position < tokens; position++) {
    Z_kernelsZ_embedInt4(&wasm, table, hidden, GROUP, NONE8, position % vocab, s.x);
    Z_kernelsZ_ropeTable(&wasm, s.rope, 1, position, hidden / heads, 10000.0);
    for (u32 i = 0; i < layers; i++) run_layer(&layer[i], &s, position);
    multiply(table, s.x, s.logits, vocab, hidden, s.prepared);
  }
  printf("%.3f\n", *(float *)at(s.logits));
  return 0;
}
