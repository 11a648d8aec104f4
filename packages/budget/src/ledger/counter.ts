/** What is spent and promised of one key in one window. */
export interface Counter {
  readonly key: string;
  readonly windowId: string;
  committed: bigint;
  /** Committed and held together: what admission looks at. */
  used: bigint;
  /** Live holds on it. A counter with one is never forgotten. */
  holds: number;
  /** The last booking that ended on it: most attempts book on the same keys, and share one. */
  lastBooking: Booking | undefined;
}

/** What an attempt was estimated to cost on one counter, until the actual cost is known. */
interface OpenLine {
  readonly counter: Counter;
  readonly amount: bigint;
}

/** What was booked for an attempt. Shared between attempts where nothing can change any more. */
export interface Booking {
  /** Keys on which the actual cost is booked. */
  readonly settled: readonly string[];
  readonly open: readonly OpenLine[];
}
