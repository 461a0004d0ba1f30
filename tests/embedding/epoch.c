// Solves epochs with epoch.wasm, translated to C by wasm2c. Reads cases from stdin and writes nine f64 for each to
// stdout, as docs/embedding.md lays them out.
//   case: int32 pools, edges, loads, points, stages; f64 host [8], pools [pools, 24], curves [points, 2],
//   edges [edges, 2], loads [loads, 4], stages [stages, 1 + 4 * pools]

#include <stdio.h>
#include <stdlib.h>
#include "epoch.h"

static Z_epoch_instance_t wasm;

/** Reads `count` numbers to an address of the module's memory. */
static void fill(u32 address, u32 count) {
  u32 got = fread(Z_epochZ_memory(&wasm)->data + address, 8, count, stdin);
  if (got != count) {
    fprintf(stderr, "epoch: a case is cut off\n");
    exit(1);
  }
}

int main(void) {
  wasm_rt_init();
  Z_epoch_init_module();
  Z_epoch_instantiate(&wasm);
  s32 sizes[5];
  while (fread(sizes, 4, 5, stdin) == 5) {
    u32 pools = sizes[0], edges = sizes[1], loads = sizes[2], points = sizes[3], stages = sizes[4];
    fill(Z_epochZ_hostAt(&wasm), 8);
    fill(Z_epochZ_poolsAt(&wasm), pools * 24);
    fill(Z_epochZ_curvesAt(&wasm), points * 2);
    fill(Z_epochZ_edgesAt(&wasm), edges * 2);
    fill(Z_epochZ_loadsAt(&wasm), loads * 4);
    fill(Z_epochZ_stagesAt(&wasm), stages * (1 + 4 * pools));
    u32 code = Z_epochZ_prepare(&wasm, pools, edges, loads);
    if (!code) code = Z_epochZ_evaluate(&wasm, pools, edges, stages);
    if (code) {
      fprintf(stderr, "epoch: a count is out of range (%u)\n", code);
      return 1;
    }
    fwrite(Z_epochZ_memory(&wasm)->data + Z_epochZ_resultAt(&wasm), 8, 9, stdout);
  }
  fprintf(stderr, "linear memory %u bytes\n", (u32)Z_epochZ_memory(&wasm)->size);
  Z_epoch_free(&wasm);
  return 0;
}
