import type { Counter } from './counter.ts';

/** What was booked for an attempt, key by key. */
export interface Booking {
  readonly attemptId: string;
  /** Keys on which the actual cost is booked. */
  readonly settled: string[];
  /** Keys on which an estimate is booked. */
  readonly open: OpenLine[];
  /** The generation of ids that it is in; undefined as long as it is not stored. */
  generation: bigint | undefined;
  isDirty: boolean;
}

/** What an attempt was estimated to cost on one key, until its actual cost is known. */
export interface OpenLine {
  readonly key: string;
  /** What it is booked on; undefined when that was forgotten with its window. */
  readonly counter: Counter | undefined;
  readonly amount: bigint;
  readonly bookedAtMs: number;
}

/** `["key", …]` in the usual case that nothing is open. */
export function bookingText({ settled, open }: Booking): string {
  if (open.length === 0) return JSON.stringify(settled);
  const lines = open.map(({ key, counter, amount, bookedAtMs }) => [
    key,
    String(counter?.id ?? 0n),
    String(amount),
    bookedAtMs,
  ]);
  return JSON.stringify({ settled, open: lines });
}

/** The counters are found by their rows. */
export function bookingOf(
  attemptId: string,
  generation: bigint,
  text: string,
  counterOf: (id: bigint) => Counter | undefined,
): Booking {
  const stored = JSON.parse(text) as
    | string[]
    | { settled: string[]; open: [key: string, counter: string, amount: string, bookedAtMs: number][] };
  if (Array.isArray(stored)) return { attemptId, settled: stored, open: [], generation, isDirty: false };
  const open = stored.open.map(([key, counter, amount, bookedAtMs]) => {
    return { key, counter: counterOf(BigInt(counter)), amount: BigInt(amount), bookedAtMs };
  });
  return { attemptId, settled: stored.settled, open, generation, isDirty: false };
}
