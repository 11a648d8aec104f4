import type { TripRule } from './trip-rule.ts';

/** A breaker's state as JSON, to survive a restart. */
export interface BreakerSnapshot {
  readonly version: 1;
  readonly breaker: string;
  /** HALF_OPEN is saved as OPEN with 0 left: its probe does not survive. */
  readonly state: 'CLOSED' | 'OPEN';
  /** Milliseconds of OPEN that were left. */
  readonly openForMs: number;
  /** How many times in a row it opened without closing. */
  readonly openings: number;
  /** The rule whose memory `window` is. */
  readonly rule: TripRule['kind'];
  /** What the rule remembers. */
  readonly window: readonly number[];
  /** When it was saved, Unix milliseconds. */
  readonly savedAtMs: number;
}

/** Reads a snapshot from anywhere. `undefined`: it is none, or of another version. Never throws. */
export function readSnapshot(value: unknown): BreakerSnapshot | undefined {
  try {
    const candidate = value as Partial<BreakerSnapshot> | null | undefined;
    const { version, breaker, state, openForMs, openings, rule, window, savedAtMs } = candidate ?? {};
    if (version !== 1 || typeof breaker !== 'string') return undefined;
    if (state !== 'CLOSED' && state !== 'OPEN') return undefined;
    if (rule !== 'failures' && rule !== 'consecutive' && rule !== 'rate') return undefined;
    if (!isAmount(openForMs) || !isAmount(openings) || !isAmount(savedAtMs)) return undefined;
    if (!Array.isArray(window) || !window.every(isAmount)) return undefined;
    return { version, breaker, state, openForMs, openings, rule, window: [...window], savedAtMs };
  } catch {
    return undefined; // a getter that throws
  }
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
