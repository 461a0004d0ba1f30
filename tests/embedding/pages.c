// Places and moves pages with memory.wasm, translated to C by wasm2c. Reads one run from stdin and writes, for each epoch, the
// number of moves, the moves and the lines by pool, all f64 (docs/epoch-abi.md).
//   run: int32 native pages, pools, epochs; f64 parameters [18], pools [pools, 8]; epochs of int32 touches, f64 [touches, 3]

#include <stdio.h>
#include <stdlib.h>
#include "memory.h"

static Z_memory_instance_t wasm;

static u8 *at(u32 address) { return Z_memoryZ_memory(&wasm)->data + address; }

static void take(void *to, u32 size, u32 count) {
  if (fread(to, size, count, stdin) == count) return;
  fprintf(stderr, "pages: the run is cut off\n");
  exit(1);
}

static void check(u32 code) {
  if (!code) return;
  fprintf(stderr, "pages: refused (%u)\n", code);
  exit(1);
}

int main(void) {
  wasm_rt_init();
  Z_memory_init_module();
  Z_memory_instantiate(&wasm);
  s32 sizes[3];
  take(sizes, 4, 3);
  u32 pools = sizes[1], most = Z_memoryZ_maxTouches(&wasm);
  take(at(Z_memoryZ_pageParamsAt(&wasm)), 8, 18);
  take(at(Z_memoryZ_pagePoolsAt(&wasm)), 8, pools * 8);
  check(Z_memoryZ_configurePages(&wasm, sizes[0], pools));
  for (s32 epoch = 0; epoch < sizes[2]; epoch++) {
    s32 left;
    take(&left, 4, 1);
    Z_memoryZ_beginEpoch(&wasm);
    while (left > 0) {
      u32 part = (u32)left < most ? (u32)left : most;
      take(at(Z_memoryZ_touchesAt(&wasm)), 8, part * 3);
      check(Z_memoryZ_touchPages(&wasm, part));
      left -= part;
    }
    u32 moves = Z_memoryZ_endEpoch(&wasm);
    double count = moves;
    fwrite(&count, 8, 1, stdout);
    fwrite(at(Z_memoryZ_movesAt(&wasm)), 8, moves * 3, stdout);
    fwrite(at(Z_memoryZ_linesAt(&wasm)), 8, pools * 6, stdout);
  }
  Z_memory_free(&wasm);
  return 0;
}
