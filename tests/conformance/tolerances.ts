// How far a backend may be from the reference, as relative L2 error, and why.

/** Sums of up to a few thousand f32 products in another order than the reference's float64 sums. */
export const SUMS = 3e-6;
/** Integer sums are exact; scales are multiplied in f32. A code that falls on the other side of a tie would show. */
export const INTEGER_SUMS = 3e-6;
/** exp, sigmoid, sin, cos and erf by polynomials in f32. */
export const FUNCTIONS = 3e-6;
/** Moved or looked-up values: the same bits. */
export const EXACT = 0;
