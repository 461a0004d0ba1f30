// What a llama-bench row was measured with, besides model, backend, threads and test: two rows are one case only where all of it agrees.

export type Row = Readonly<Record<string, unknown>>;

/** Field, its short name (as llama-bench's own tables and flags say) and llama-bench's default: only what differs from it is named. */
const KNOWN: readonly (readonly [field: string, label: string, preset: string])[] = [
  ["n_gpu_layers", "ngl", "99"],
  ["n_cpu_moe", "ncmoe", "0"],
  ["flash_attn", "fa", "0"],
  ["n_batch", "b", "2048"],
  ["n_ubatch", "ub", "512"],
  ["type_k", "ctk", "f16"],
  ["type_v", "ctv", "f16"],
  ["split_mode", "sm", "layer"],
  ["main_gpu", "mg", "0"],
  ["devices", "dev", "auto"],
  ["tensor_split", "ts", "0.00"],
  ["tensor_buft_overrides", "ot", "none"],
  ["no_kv_offload", "nkvo", "0"],
  ["no_op_offload", "nopo", "0"],
  ["no_host", "nohost", "0"],
  ["use_mmap", "mmp", "1"],
  ["use_direct_io", "dio", "0"],
  ["embeddings", "embd", "0"],
  ["cpu_mask", "cpu-mask", "0x0"],
  ["cpu_strict", "cpu-strict", "0"],
  ["poll", "poll", "50"],
];

/** Fields that are told elsewhere or are outcomes. */
const NO_SETTING = /^(build_|model_|avg_|stddev_|samples_|test_time$|backends$|n_(threads|prompt|gen|depth)$)|_info$/;

/** A setting as text, flags as 1 and 0; null where the row does not have it. */
function settingOf(row: Row, field: string): string | null {
  const value = row[field];
  if (typeof value === "boolean") return value ? "1" : "0";
  return typeof value === "string" || typeof value === "number" ? String(value) : null;
}

/** Fields of other versions of llama-bench, whose defaults are not known. */
function unknownFields(rows: readonly Row[]): string[] {
  const fields = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return fields.filter((field) => !NO_SETTING.test(field) && !KNOWN.some(([known]) => known === field));
}

const agreed = (rows: readonly Row[], field: string) => new Set(rows.map((row) => settingOf(row, field))).size === 1;

/** Settings of each row as words (`ngl 0 fa 1`): what is not llama-bench's default, and what else differs between the rows. */
export function settingWords(rows: readonly Row[]): string[] {
  const differing = unknownFields(rows).filter((field) => !agreed(rows, field));
  return rows.map((row) => {
    const known = KNOWN.flatMap(([field, label, preset]) => {
      const value = settingOf(row, field);
      return value === null || value === preset ? [] : [`${label} ${value}`];
    });
    const others = differing.flatMap((field) => {
      const value = settingOf(row, field);
      return value === null ? [] : [`${field} ${value}`];
    });
    return [...known, ...others].join(" ");
  });
}

/** Settings of unknown default that all rows share: compared runs must agree on those that both have. */
export function sharedSettings(rows: readonly Row[]): Record<string, string> {
  const shared = unknownFields(rows).filter((field) => agreed(rows, field));
  return Object.fromEntries(
    shared.flatMap((field) => {
      const value = settingOf(rows[0] as Row, field);
      return value === null ? [] : [[field, value]];
    }),
  );
}
