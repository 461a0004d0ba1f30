// What tests/long/arm64-bench runs inside the arm64 test machine: `bench` with the shipped model, whose epochs are counted by the
// machine's own unit, and the delay models that need events which it lacks.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));
const MODEL = fileURLToPath(new URL("../../../models/nibblemark-llava-2m", import.meta.url));

for (const delay of ["stall", "camp", "traffic"]) {
  const few = [
    "--quant",
    "int4-g32",
    "--target",
    "wasm-simd/1t",
    "--test",
    "pp4,tg2",
    "--rounds",
    "1",
    "--warmups",
    "0",
  ];
  const plain = ["--no-quality", "--host", "default", "--topology", "local,cxl-1hop", "--delay", delay];
  const file = "/tmp/bench.json";
  const args = [MAIN, "bench", MODEL, ...few, ...plain, "--export-json", file];
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  const result: unknown = status === 0 ? JSON.parse(readFileSync(file, "utf8")) : null;
  console.log(`@@${delay} ${JSON.stringify({ status, signal, stdout, stderr: stderr.slice(-2000), result })}`);
}
