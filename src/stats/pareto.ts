// Which points no other point beats.

/** Indices of the points that none dominates: as good in every coordinate and better in one. Less is better everywhere. */
export function paretoFront(points: readonly (readonly number[])[]): number[] {
  const beats = (a: readonly number[], b: readonly number[]) =>
    a.every((value, i) => value <= b[i]) && a.some((value, i) => value < b[i]);
  return points.flatMap((point, i) => (points.some((other) => beats(other, point)) ? [] : [i]));
}
