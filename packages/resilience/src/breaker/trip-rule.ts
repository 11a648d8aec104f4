/** Decides from outcomes when a closed circuit opens. Holds no timer and no reference to what failed. */
export interface TripRule {
  readonly kind: 'failures' | 'consecutive' | 'rate';
  /** False: `success` need not be called. */
  readonly watchesSuccess: boolean;
  success(): void;
  /** Notes a failure at its completion. True: open now. */
  failure(nowMs: number): boolean;
  /** Forgets everything. */
  clear(): void;
  /** What it remembers, as numbers for a snapshot: times as ages. */
  save(nowMs: number): number[];
  /** Takes up what `save` gave, `agedMs` later. The numbers are finite and not negative; their count may be wrong. */
  load(saved: readonly number[], nowMs: number, agedMs: number): void;
}
