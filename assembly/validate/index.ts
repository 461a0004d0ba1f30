// A hash join's build and probe side, as a program with random reads for `npm run validate -- --hardware`. Keeps no data of
// its own, so it shares the memory of a kernels instance.

/** Bytes from one bucket to the next: two lines, as fetching one may bring its neighbour. Only the first line is used. */
export const BUCKET_BYTES: i32 = 128;
const SLOTS: i32 = 7;

// @ts-ignore: decorator
@inline
function bucketOf(table: usize, bits: i32, key: u32): usize {
  return table + <usize>((key * 2654435769) >>> <u32>(32 - bits)) * <usize>BUCKET_BYTES;
}

/** Fills u32 [count] with keys other than 0, by linear congruential steps. */
export function joinKeys(keys: usize, count: i32, seed: u32): void {
  for (let i = 0; i < count; i++) {
    seed = seed * 1664525 + 1013904223;
    store<u32>(keys + (<usize>i << 2), (seed ^ (seed >>> 15)) | 1);
  }
}

/**
 * Builds a table of 2^bits buckets: a count, then up to seven pairs of key and payload (the key's index). Keys beyond the
 * seventh of a bucket are left out; their number is given back.
 */
export function joinBuild(table: usize, bits: i32, keys: usize, count: i32): i32 {
  memory.fill(table, 0, <usize>BUCKET_BYTES << bits);
  let left = 0;
  for (let i = 0; i < count; i++) {
    const key = load<u32>(keys + (<usize>i << 2));
    const bucket = bucketOf(table, bits, key);
    const used = load<i32>(bucket);
    if (used == SLOTS) {
      left++;
      continue;
    }
    store<i32>(bucket, used + 1);
    store<u32>(bucket + (<usize>used << 3), key, 8);
    store<u32>(bucket + (<usize>used << 3), i, 12);
  }
  return left;
}

// @ts-ignore: decorator
@inline
function slot(bucket: usize, key: u32, at: usize): u32 {
  return load<u32>(bucket + at + 4) & (0 - u32(load<u32>(bucket + at) == key));
}

/** Sum of the payloads of all keys. Compares every slot, without branches, so that the probes overlap. */
export function joinProbe(table: usize, bits: i32, keys: usize, count: i32): u32 {
  let sum: u32 = 0;
  for (const end = keys + (<usize>count << 2); keys < end; keys += 4) {
    const key = load<u32>(keys);
    const bucket = bucketOf(table, bits, key);
    sum += slot(bucket, key, 8) + slot(bucket, key, 16) + slot(bucket, key, 24) + slot(bucket, key, 32);
    sum += slot(bucket, key, 40) + slot(bucket, key, 48) + slot(bucket, key, 56);
  }
  return sum;
}
