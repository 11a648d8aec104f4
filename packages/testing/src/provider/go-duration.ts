/** A time span as Go prints it, which is how both providers send theirs: `"6ms"`, `"7.66s"`, `"2m59.56s"`, `"6m0s"`. */
export function goDuration(ms: number): string {
  if (ms <= 0) return '0s';
  if (ms < 1_000) return `${rounded(ms)}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  const seconds = rounded((ms % 60_000) / 1_000);
  if (hours > 0) return `${hours}h${minutes}m${seconds}s`;
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`;
}

/** At most three decimals, down: a minute must not come out as `1m60s`. */
function rounded(value: number): number {
  return Math.floor(value * 1_000) / 1_000;
}
