// Digits as pen strokes, for those who choose instead of draw. Points lie in a square of 20, as MNIST centres its digits.

type Stroke = readonly (readonly [x: number, y: number])[];

/** Of a closed or open arc, clockwise from `from` to `to` in eighths of a turn, 0 being up. */
function arc(x: number, y: number, rx: number, ry: number, from: number, to: number): Stroke {
  return Array.from({ length: 25 }, (_, i) => {
    const turn = ((from + ((to - from) * i) / 24) / 8) * 2 * Math.PI;
    return [x + rx * Math.sin(turn), y - ry * Math.cos(turn)] as const;
  });
}

export const DIGIT_STROKES: readonly (readonly Stroke[])[] = [
  [arc(10, 10, 6.5, 9, 0, 8)],
  [
    [
      [11.5, 1],
      [9, 19],
    ],
  ],
  [[...arc(9.5, 6, 5.5, 5, -2, 3), [4, 18], [16.5, 18]]],
  [[...arc(9, 5.5, 5.5, 4.5, -1.5, 4), ...arc(9, 14.5, 6, 4.8, 0, 5.8)]],
  [
    [
      [5, 1.5],
      [4, 10.5],
      [15, 10.5],
    ],
    [
      [15, 2],
      [13.5, 19],
    ],
  ],
  [[[16, 1.5], [6, 2], [5, 9], ...arc(9, 13, 6, 5.8, -0.6, 5.5)]],
  [[[12.5, 1], [6.5, 8], ...arc(9.7, 13.8, 5, 5.2, -2.2, 6)]],
  [
    [
      [3.5, 3],
      [16, 3],
      [8.5, 19],
    ],
  ],
  [arc(10, 5.5, 4.8, 4.5, 0, 8), arc(10, 14.6, 5.3, 4.6, 0, 8)],
  [
    arc(9.5, 6, 5, 5, 0, 8),
    [
      [14.5, 5],
      [13.8, 10],
      [11, 19],
    ],
  ],
];

/** Draws a digit into a square cell of a canvas, white on black. */
export function drawDigit(context: CanvasRenderingContext2D, digit: number, left: number, top: number, size: number) {
  const unit = size / 32;
  context.fillStyle = "#000";
  context.fillRect(left, top, size, size);
  inkOf(context, size);
  for (const stroke of DIGIT_STROKES[digit] ?? []) {
    context.beginPath();
    for (const [x, y] of stroke) context.lineTo(left + (6 + x) * unit, top + (6 + y) * unit);
    context.stroke();
  }
}

/** A pen as thick as MNIST's for cells of a size. */
export function inkOf(context: CanvasRenderingContext2D, cell: number): void {
  context.strokeStyle = "#fff";
  context.lineWidth = (2.7 * cell) / 32;
  context.lineCap = "round";
  context.lineJoin = "round";
}
