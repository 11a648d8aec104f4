import type { TripRule } from './trip-rule.ts';

/** Opens on the N-th failure in a row, however far apart they are. */
export class ConsecutiveFailures implements TripRule {
  readonly kind = 'consecutive';
  readonly watchesSuccess = true;
  readonly #threshold: number;
  #count = 0;

  constructor(threshold: number) {
    this.#threshold = threshold;
  }

  success(): void {
    this.#count = 0;
  }

  failure(): boolean {
    this.#count++;
    return this.#count >= this.#threshold;
  }

  clear(): void {
    this.#count = 0;
  }

  save(): number[] {
    return [this.#count];
  }

  load([count = 0]: readonly number[]): void {
    this.#count = Math.min(Math.floor(count), this.#threshold - 1);
  }
}
