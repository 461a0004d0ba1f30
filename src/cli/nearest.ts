// The known name nearest to a mistyped one, for error messages.

/** Levenshtein distance: insertions, deletions and substitutions. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, substituted));
    }
    row = next;
  }
  return row[b.length] as number;
}

/** "Did you mean X?" when a name is near, else the list of what is known. */
export function suggest(name: string, known: readonly string[]): string {
  const ranked = known.map((candidate) => ({ candidate, far: distance(name, candidate) }));
  ranked.sort((a, b) => a.far - b.far);
  const best = ranked[0];
  if (best && best.far <= Math.max(1, Math.floor(name.length / 3))) return `Did you mean ${best.candidate}?`;
  return `Known: ${known.join(", ")}`;
}
