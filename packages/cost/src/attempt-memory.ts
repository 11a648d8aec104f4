/**
 * Remembers what belongs to the last attempts: at least `capacity` of them, at most twice as many. Two generations
 * instead of a queue, so that forgetting costs nothing.
 */
export class AttemptMemory<T> {
  readonly #capacity: number;
  #young = new Map<string, T>();
  #old = new Map<string, T>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get(attemptId: string): T | undefined {
    if (this.#young.size === 0 && this.#old.size === 0) return undefined; // estimates are rare
    return this.#young.get(attemptId) ?? this.#old.get(attemptId);
  }

  set(attemptId: string, value: T): void {
    this.#young.set(attemptId, value);
    if (this.#young.size < this.#capacity) return;
    this.#old = this.#young;
    this.#young = new Map();
  }

  delete(attemptId: string): void {
    this.#young.delete(attemptId);
    this.#old.delete(attemptId);
  }
}
