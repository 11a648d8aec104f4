const unitMs: Readonly<Record<string, number>> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
  us: 0.001,
  µs: 0.001,
  μs: 0.001,
  ns: 0.000_001,
};
const part = /(\d+(?:\.\d+)?)(ms|us|µs|μs|ns|d|h|m|s)/giy;

/**
 * A duration as Go prints it (`"6m0s"`, `"2m59.56s"`, `"12ms"`), in milliseconds; a bare number is seconds.
 * `undefined` for anything else. Total: never NaN, never negative.
 */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim();
  if (/^\d+(\.\d+)?$/.test(trimmed)) return finite(Number(trimmed) * 1_000);
  part.lastIndex = 0;
  let totalMs = 0;
  let end = 0;
  for (let match = part.exec(trimmed); match !== null; match = part.exec(trimmed)) {
    totalMs += Number(match[1]) * (unitMs[(match[2] ?? '').toLowerCase()] ?? 0);
    end = part.lastIndex;
  }
  return end === trimmed.length && end > 0 ? finite(totalMs) : undefined;
}

/** Hundreds of digits make infinity: as long as can be, then. */
function finite(ms: number): number {
  return Math.min(ms, Number.MAX_SAFE_INTEGER);
}
