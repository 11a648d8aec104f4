/**
 * Tests whether a mean is above a value, from independent draws of anything within bounds: true with more than the mean
 * given with chance at most `alpha`, for every number of draws, not only for many.
 *
 * A bet on each draw, at odds that are fair if the mean were just `value` (Waudby-Smith and Ramdas, "Estimating means of
 * bounded random variables by betting", 2023): money made is evidence against that, and by Ville's inequality nobody
 * multiplies his stake by 1/alpha with a chance of more than alpha. The stakes follow the draws before, never the draw
 * itself. Tighter than Hoeffding's bound by far where the spread is small.
 */
export function meanIsAbove(
  draws: ArrayLike<number>,
  value: number,
  { low, high, alpha }: { readonly low: number; readonly high: number; readonly alpha: number },
): boolean {
  const scale = high - low;
  if (!(scale > 0) || value <= low) return value < low;
  const fair = (value - low) / scale;
  if (fair >= 1) return false;
  const needed = Math.log(1 / alpha);
  const most = 0.9 / fair;
  let logMoney = 0;
  let mean = fair;
  let variance = 0.25;
  for (let i = 0; i < draws.length; i++) {
    // The stake that is best for so many draws, as far as the draws before tell how much they scatter.
    const stake = Math.min(most, Math.sqrt((2 * needed) / (variance * draws.length)));
    const draw = Math.min(1, Math.max(0, ((draws[i] as number) - low) / scale));
    logMoney += Math.log1p(stake * (draw - fair));
    if (logMoney >= needed) return true;
    const before = i + 1;
    mean += (draw - mean) / (before + 1);
    variance += ((draw - mean) ** 2 - variance) / (before + 1);
  }
  return false;
}
