/** The heap after a collection, when so many calls had been made. */
export interface HeapSample {
  readonly calls: number;
  readonly bytes: number;
}

/** What is allowed: rings and caches that still fill up, and noise. */
const allowedBytes = 2_000_000;
const allowedBytesPerCall = 20;

/** Before so many calls the memories of tracker, ledger and provider are not full. */
const warmUpCalls = 2_000;

/** How the heap moved in the steady state. */
export interface HeapTrend {
  /** Median of the last third over that of the first, both without the warm-up. */
  readonly grownBytes: number;
  readonly calls: number;
  readonly leaks: boolean;
}

/**
 * Whether the heap grows with the calls. The first quarter of the samples and the first 2,000 calls are warm-up: caches
 * fill, code is compiled. `undefined` with too few samples to say.
 */
export function heapTrend(samples: readonly HeapSample[]): HeapTrend | undefined {
  const steady = samples.slice(Math.ceil(samples.length / 4)).filter(({ calls }) => calls >= warmUpCalls);
  if (steady.length < 6) return undefined;
  const third = Math.floor(steady.length / 3);
  const [first, last] = [steady.slice(0, third), steady.slice(-third)];
  const grownBytes = median(last.map(({ bytes }) => bytes)) - median(first.map(({ bytes }) => bytes));
  const calls = median(last.map((sample) => sample.calls)) - median(first.map((sample) => sample.calls));
  return { grownBytes, calls, leaks: grownBytes > allowedBytes + allowedBytesPerCall * calls };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
