/** A non-negative rational number in lowest terms: prices that are not whole pico-dollars stay exact. */
export interface Fraction {
  readonly numerator: bigint;
  /** At least 1. */
  readonly denominator: bigint;
}

/** Nothing. */
export const zero: Fraction = { numerator: 0n, denominator: 1n };

/** `numerator / denominator` in lowest terms. */
export function fraction(numerator: bigint, denominator: bigint = 1n): Fraction {
  const divisor = greatestCommonDivisor(numerator, denominator);
  return { numerator: numerator / divisor, denominator: denominator / divisor };
}

/** The product, in lowest terms. */
export function multiply(a: Fraction, b: Fraction): Fraction {
  return fraction(a.numerator * b.numerator, a.denominator * b.denominator);
}

/** The smallest number that all `values` divide. */
export function leastCommonMultiple(values: readonly bigint[]): bigint {
  return values.reduce((multiple, value) => (multiple * value) / greatestCommonDivisor(multiple, value), 1n);
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  let [larger, smaller] = [a, b];
  while (smaller !== 0n) [larger, smaller] = [smaller, larger % smaller];
  return larger;
}
