import { requireNumber } from '@synapsekit/core';

/** Exact bounds for a share, from so many yes of so many (Clopper-Pearson): each fails in at most `alpha` of all samples. */
export function shareBounds(
  yes: number,
  of: number,
  alpha: number,
): { readonly low: number; readonly high: number } {
  requireNumber(of, 'of', { integer: true, min: 1 });
  requireNumber(yes, 'yes', { integer: true, min: 0, max: of });
  requireNumber(alpha, 'alpha', { above: 0, max: 0.5 });
  // P(X >= yes) rises with the share, P(X <= yes) falls.
  const low = yes === 0 ? 0 : solve((share) => atLeast(yes, of, share) - alpha);
  const high = yes === of ? 1 : solve((share) => alpha - (1 - atLeast(yes + 1, of, share)));
  return { low, high };
}

/** P(X >= yes) of a binomial: the regularised incomplete beta function. */
export function atLeast(yes: number, of: number, share: number): number {
  if (yes <= 0) return 1;
  if (share <= 0) return 0;
  if (share >= 1) return 1;
  return incompleteBeta(share, yes, of - yes + 1);
}

/** The root of a rising function between 0 and 1. */
function solve(rising: (share: number) => number): number {
  let [from, to] = [0, 1];
  for (let i = 0; i < 60; i++) {
    const middle = (from + to) / 2;
    if (rising(middle) < 0) from = middle;
    else to = middle;
  }
  return (from + to) / 2;
}

/** I_x(a, b), by its continued fraction (Lentz). */
function incompleteBeta(x: number, a: number, b: number): number {
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  return x < (a + 1) / (a + b + 2)
    ? (front * fraction(x, a, b)) / a
    : 1 - (front * fraction(1 - x, b, a)) / b;
}

function fraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  const away = (value: number): number => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1));
  let result = d;
  for (let m = 1; m <= 500; m++) {
    for (const term of [
      (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m)),
      (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1)),
    ]) {
      d = 1 / away(1 + term * d);
      c = away(1 + term / c);
      result *= d * c;
    }
    if (Math.abs(d * c - 1) < 1e-13) break;
  }
  return result;
}

/** log Γ(x) for x > 0 (Lanczos). */
function logGamma(x: number): number {
  const coefficients = [
    676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905,
    -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7,
  ];
  let sum = 0.9999999999998099;
  for (const [i, coefficient] of coefficients.entries()) sum += coefficient / (x + i);
  const t = x + 6.5;
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum);
}
