// Which part of each data set is for training and which is held out, by fixed rules that need no
// list: a digit, a chapter or a speech is held out by its index alone.

/** The share of the digits of each class that is never trained on. */
export const heldOutDigitShare = 0.15;

/** The range of indices [first, last) of one class of `count` digits that a split may use: the last 15 % are held out. */
export function digitRange(split: "train" | "test", count: number): { readonly first: number; readonly last: number } {
  const border = Math.round(count * (1 - heldOutDigitShare));
  return split === "train" ? { first: 0, last: border } : { first: border, last: count };
}

/** Every 20th chapter or speech is held out of training: indices 10, 30, 50... for validation and evaluation. */
export function isHeldOutText(index: number): boolean {
  return index % 20 === 10;
}
