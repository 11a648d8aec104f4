/** What a case asserted: how often it held, and the first time that it did not. */
export class AssertionLog {
  #held = 0;
  #failure: { readonly error: unknown } | undefined;
  #pending: Promise<void>[] = [];
  #closedBy: string | undefined;

  /** How many assertions held. */
  get held(): number {
    return this.#held;
  }

  /** The first assertion that failed, also if the case caught its error. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure;
  }

  /** Throws what the first assertion that failed threw. */
  throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Counts what `assertion` does. */
  now(assertion: () => void): void {
    this.#mustBeOpen();
    try {
      assertion();
      this.#held++;
    } catch (error) {
      this.#failure ??= { error };
      throw error;
    }
  }

  /** Counts what `assertion` does when it is done. The case is over only then, also if it does not wait for it. */
  later(assertion: () => Promise<void>): Promise<void> {
    this.#mustBeOpen();
    const counted = assertion().then(
      () => {
        this.#held++;
      },
      (error: unknown) => {
        this.#failure ??= { error };
        throw error;
      },
    );
    this.#pending.push(counted.catch(() => {}));
    return counted;
  }

  /** True while an assertion is not done. */
  get busy(): boolean {
    return this.#pending.length > 0;
  }

  /** Resolves when every assertion that has begun is done. */
  async settled(): Promise<void> {
    while (this.#pending.length > 0) await Promise.all(this.#pending.splice(0));
  }

  /** From now on, asserting throws: it would change nothing any more. */
  close(name: string): void {
    this.#closedBy = name;
  }

  #mustBeOpen(): void {
    if (this.#closedBy === undefined) return;
    throw new Error(
      `expect was called after the case "${this.#closedBy}" had ended, so it judges nothing. Await what the case starts.`,
    );
  }
}
