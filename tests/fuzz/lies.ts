// Damage that all fuzzers share: lies in JSON, broken bytes, cut ends.

export type Random = () => number;

export const pick = <T>(list: readonly T[], random: Random): T => list[Math.floor(random() * list.length)] as T;

const DEEP = Array.from({ length: 60 }).reduce((inner) => [inner], 1 as unknown);
const LIES: readonly unknown[] = [
  ...[0, 1, -1, 15, 16, 17, 2 ** 31, 2 ** 53, 1e300, null, "", "x", "\ud800", "__proto__", [], {}, [1, 2], true],
  ...[0.5, "1", DEEP, Array.from({ length: 200 }, (_, i) => i)],
];

/** A JSON value with one of its leaves or keys changed. */
export function lie(value: unknown, random: Random): unknown {
  if (random() < 0.15 || value === null || typeof value !== "object") return pick(LIES, random);
  const entries = Object.entries(value);
  const at = Math.floor(random() * entries.length);
  const hurt = entries.flatMap(([key, inner], i) => {
    if (i !== at) return [[key, inner]];
    return random() < 0.15 ? [] : [[random() < 0.05 ? `${key}x` : key, lie(inner, random)]];
  });
  return Array.isArray(value) ? hurt.map(([, inner]) => inner) : Object.fromEntries(hurt);
}

const utf8 = new TextEncoder();

/** The value as JSON; now and then with a lie in it, a key twice, or broken bytes. @param share of files that are hurt */
export function hurtJson(value: unknown, random: Random, share: number): Uint8Array {
  if (random() >= share) return utf8.encode(JSON.stringify(value));
  const kind = random();
  if (kind < 0.85) return utf8.encode(JSON.stringify(lie(value, random)));
  const text = JSON.stringify(value);
  if (kind < 0.92) return utf8.encode(text.replace(/^\{("[^"]*":)/, "{$1 0,$1"));
  return hurtBytes(utf8.encode(text), random, 2);
}

/** Up to `most` bytes replaced. */
export function hurtBytes(bytes: Uint8Array, random: Random, most: number): Uint8Array {
  const hurt = bytes.slice();
  for (let count = 1 + Math.floor(random() * most); count > 0; count--) {
    hurt[Math.floor(random() * hurt.length)] = Math.floor(random() * 256);
  }
  return hurt;
}

/** Now and then without its end, or with bytes too many. */
export function hurtEnd(bytes: Uint8Array, random: Random, share: number): Uint8Array {
  if (random() >= share) return bytes;
  if (random() < 0.7) return bytes.slice(0, Math.floor(random() * bytes.length));
  const longer = new Uint8Array(bytes.length + 1 + Math.floor(random() * 64));
  longer.set(bytes);
  return longer;
}
