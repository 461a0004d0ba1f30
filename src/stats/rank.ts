// How much two rankings of the same things agree.

/** Ranks from 1; equal values share the mean of their ranks. */
function ranksOf(values: readonly number[]): number[] {
  const sorted = values.map((value, index) => ({ value, index })).sort((a, b) => a.value - b.value);
  const ranks = new Array<number>(values.length).fill(0);
  for (let from = 0; from < sorted.length; ) {
    let end = from;
    while (end < sorted.length && sorted[end].value === sorted[from].value) end++;
    for (const { index } of sorted.slice(from, end)) ranks[index] = (from + end + 1) / 2;
    from = end;
  }
  return ranks;
}

/** Spearman's rho: the correlation of the ranks. NaN where all values of a side are equal. */
export function spearman(a: readonly number[], b: readonly number[]): number {
  const [left, right] = [ranksOf(a), ranksOf(b)];
  const mean = (a.length + 1) / 2;
  const sum = (pick: (index: number) => number) => left.reduce((total, _, index) => total + pick(index), 0);
  const together = sum((i) => (left[i] - mean) * (right[i] - mean));
  return together / Math.sqrt(sum((i) => (left[i] - mean) ** 2) * sum((i) => (right[i] - mean) ** 2));
}

/** Kendall's tau-b: concordant less discordant pairs over the pairs that are not tied (Kendall 1945). */
export function kendall(a: readonly number[], b: readonly number[]): number {
  let [score, freeA, freeB] = [0, 0, 0];
  for (const [i, left] of a.entries()) {
    for (const [offset, other] of a.slice(i + 1).entries()) {
      const [da, db] = [Math.sign(left - other), Math.sign(b[i] - b[i + 1 + offset])];
      score += da * db;
      freeA += Math.abs(da);
      freeB += Math.abs(db);
    }
  }
  return score / Math.sqrt(freeA * freeB);
}
