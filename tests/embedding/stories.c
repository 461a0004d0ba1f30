// Decodes a llama2.c checkpoint greedily with the kernels of kernels.scalar.wasm, translated to C by wasm2c: no JavaScript
// engine. Prints the text on stdout and the memory it took on stderr. docs/embedding.md explains the calls.
//   stories CHECKPOINT TOKENIZER TOKENS

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include "kernels.h"

enum { KIND_F32 = 4, PAGE = 65536, ALIGN = 256 };

static Z_kernels_instance_t wasm;
static u32 end_of_memory;

static void fail(const char *what) {
  fprintf(stderr, "stories: %s\n", what);
  exit(1);
}

static void *at(u32 address) { return Z_kernelsZ_memory(&wasm)->data + address; }

/** A 256-byte aligned address of `bytes` free bytes; the memory grows over it. */
static u32 take(u32 bytes) {
  wasm_rt_memory_t *memory = Z_kernelsZ_memory(&wasm);
  u32 address = (end_of_memory + ALIGN - 1) / ALIGN * ALIGN;
  end_of_memory = address + bytes + ALIGN;
  u32 pages = (end_of_memory + PAGE - 1) / PAGE;
  if (pages > memory->pages && wasm_rt_grow_memory(memory, pages - memory->pages) == (u32)-1) fail("out of memory");
  return address;
}

static u32 floats(u32 count) { return take(count * 4); }

/** Sizes in the order of the file's header; a negative vocabulary means a classifier of its own. */
typedef struct { int dim, ffn, layers, heads, kv_heads, vocab, context; } Config;

/** Addresses of the stacked weights, in the order of the file. */
typedef struct { u32 embedding, norm1, q, k, v, o, norm2, gate, down, up, last_norm, classifier; } Weights;

static u32 read_floats(FILE *file, u32 count) {
  u32 address = floats(count);
  if (fread(at(address), 4, count, file) != count) fail("the checkpoint is too short");
  return address;
}

static Weights read_weights(FILE *file, const Config *c) {
  u32 d = c->dim, layers = c->layers, head = d / c->heads, kv = head * c->kv_heads, vocab = abs(c->vocab);
  Weights w;
  w.embedding = read_floats(file, vocab * d);
  w.norm1 = read_floats(file, layers * d);
  w.q = read_floats(file, layers * d * d);
  w.k = read_floats(file, layers * kv * d);
  w.v = read_floats(file, layers * kv * d);
  w.o = read_floats(file, layers * d * d);
  w.norm2 = read_floats(file, layers * d);
  w.gate = read_floats(file, layers * c->ffn * d);
  w.down = read_floats(file, layers * c->ffn * d);
  w.up = read_floats(file, layers * c->ffn * d);
  w.last_norm = read_floats(file, d);
  fseek(file, (long)c->context * head * 4, SEEK_CUR);
  w.classifier = c->vocab > 0 ? w.embedding : read_floats(file, vocab * d);
  return w;
}

/** Pieces of the vocabulary: a score and a length before each. */
static char **read_pieces(const char *path, int vocab) {
  FILE *file = fopen(path, "rb");
  if (!file) fail("cannot open the tokenizer");
  char **pieces = calloc(vocab, sizeof *pieces);
  int longest, length;
  float score;
  if (fread(&longest, 4, 1, file) != 1) fail("the tokenizer is too short");
  for (int i = 0; i < vocab; i++) {
    if (fread(&score, 4, 1, file) != 1 || fread(&length, 4, 1, file) != 1) fail("the tokenizer is too short");
    pieces[i] = calloc(length + 1, 1);
    if (fread(pieces[i], 1, length, file) != (size_t)length) fail("the tokenizer is too short");
  }
  fclose(file);
  return pieces;
}

/** Tokens 3 to 258 are single bytes; a text's first blank is SentencePiece's, not ours. */
static void print_token(char **pieces, int token, int first) {
  if (token < 3) return;
  if (token < 259) {
    if (!(first && token - 3 == ' ')) putchar(token - 3);
  } else fputs(pieces[token] + (first && pieces[token][0] == ' '), stdout);
}

/** Activations [dim] or as named, keys and values [layers, context, kv]. */
typedef struct { u32 x, normed, q, k, v, attended, branch, gated, lifted, logits, keys, values, rope, prepared; } State;

static State make_state(const Config *c, u32 context) {
  u32 d = c->dim, kv = d / c->heads * c->kv_heads, widest = c->ffn > c->dim ? c->ffn : c->dim;
  u32 cache = c->layers * context * kv;
  State s = {
    floats(d), floats(d), floats(d), floats(kv), floats(kv), floats(d), floats(d), floats(c->ffn), floats(c->ffn),
    floats(abs(c->vocab)), floats(cache), floats(cache), floats(d / c->heads),
    take(Z_kernelsZ_preparedBytes(&wasm, widest, 1)),
  };
  return s;
}

/** out [rows] = weight [rows, cols] x [cols] */
static void multiply(u32 weight, u32 x, u32 out, u32 rows, u32 cols, u32 prepared) {
  Z_kernelsZ_matmul(&wasm, KIND_F32, weight, 0, 0, x, out, rows, rows, cols, 1, 0, 0, prepared);
}

static void attention_layer(const Config *c, const Weights *w, const State *s, u32 layer, u32 position, u32 context) {
  u32 d = c->dim, head = d / c->heads, kv = head * c->kv_heads;
  u32 keys = s->keys + layer * context * kv * 4, values = s->values + layer * context * kv * 4;
  Z_kernelsZ_rmsnorm(&wasm, s->x, w->norm1 + layer * d * 4, s->normed, 1, d, 1e-5f);
  multiply(w->q + layer * d * d * 4, s->normed, s->q, d, d, s->prepared);
  multiply(w->k + layer * kv * d * 4, s->normed, s->k, kv, d, s->prepared);
  multiply(w->v + layer * kv * d * 4, s->normed, s->v, kv, d, s->prepared);
  Z_kernelsZ_rope(&wasm, s->q, s->rope, 1, c->heads, head, 0);
  Z_kernelsZ_rope(&wasm, s->k, s->rope, 1, c->kv_heads, head, 0);
  Z_kernelsZ_copyBytes(&wasm, keys + position * kv * 4, s->k, kv * 4);
  Z_kernelsZ_copyBytes(&wasm, values + position * kv * 4, s->v, kv * 4);
  Z_kernelsZ_attention(&wasm, s->q, keys, values, s->attended, 1, position, position + 1, c->heads, c->kv_heads, head, 1);
  multiply(w->o + layer * d * d * 4, s->attended, s->branch, d, d, s->prepared);
  Z_kernelsZ_add(&wasm, s->x, s->branch, s->x, 1, d, 1);
}

static void feed_forward_layer(const Config *c, const Weights *w, const State *s, u32 layer) {
  u32 d = c->dim, ffn = c->ffn, matrix = layer * d * ffn * 4;
  Z_kernelsZ_rmsnorm(&wasm, s->x, w->norm2 + layer * d * 4, s->normed, 1, d, 1e-5f);
  multiply(w->gate + matrix, s->normed, s->gated, ffn, d, s->prepared);
  multiply(w->up + matrix, s->normed, s->lifted, ffn, d, s->prepared);
  Z_kernelsZ_swiglu(&wasm, s->gated, s->lifted, s->gated, ffn);
  multiply(w->down + matrix, s->gated, s->branch, d, ffn, s->prepared);
  Z_kernelsZ_add(&wasm, s->x, s->branch, s->x, 1, d, 1);
}

static int most_likely(const float *logits, int count) {
  int best = 0;
  for (int i = 1; i < count; i++) if (logits[i] > logits[best]) best = i;
  return best;
}

/** The most likely token after `token` at `position`. */
static int next_token(const Config *c, const Weights *w, const State *s, int token, u32 position, u32 context) {
  Z_kernelsZ_embedF32(&wasm, w->embedding, c->dim, token, s->x);
  Z_kernelsZ_ropeTable(&wasm, s->rope, 1, position, c->dim / c->heads, 10000.0);
  for (int layer = 0; layer < c->layers; layer++) {
    attention_layer(c, w, s, layer, position, context);
    feed_forward_layer(c, w, s, layer);
  }
  Z_kernelsZ_rmsnorm(&wasm, s->x, w->last_norm, s->normed, 1, c->dim, 1e-5f);
  multiply(w->classifier, s->normed, s->logits, abs(c->vocab), c->dim, s->prepared);
  return most_likely(at(s->logits), abs(c->vocab));
}

static void report(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  fprintf(stderr, "linear memory %u bytes, peak resident %ld KiB\n", (u32)Z_kernelsZ_memory(&wasm)->size, usage.ru_maxrss);
}

int main(int count, char **args) {
  if (count != 4) fail("usage: stories CHECKPOINT TOKENIZER TOKENS");
  wasm_rt_init();
  Z_kernels_init_module();
  Z_kernels_instantiate(&wasm);
  end_of_memory = Z_kernelsZ_heapBase(&wasm);
  FILE *file = fopen(args[1], "rb");
  Config config;
  if (!file || fread(&config, sizeof config, 1, file) != 1) fail("cannot read the checkpoint");
  u32 tokens = atoi(args[3]);
  if (tokens < 1 || tokens > (u32)config.context) fail("TOKENS must fit the context");
  u32 control = take(*Z_kernelsZ_CONTROL_BYTES(&wasm));
  u32 scratch = take(Z_kernelsZ_scratchBytes(&wasm, tokens));
  Z_kernelsZ_setUp(&wasm, control, scratch, 0);
  Weights weights = read_weights(file, &config);
  fclose(file);
  State state = make_state(&config, tokens);
  char **pieces = read_pieces(args[2], abs(config.vocab));
  int token = 1;
  for (u32 position = 0; position < tokens; position++) {
    token = next_token(&config, &weights, &state, token, position, tokens);
    print_token(pieces, token, position == 0);
  }
  report();
  Z_kernels_free(&wasm);
  return 0;
}
