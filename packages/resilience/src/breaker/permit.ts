/** Who hands out permits and hears their verdicts. */
export interface PermitIssuer {
  succeeded(generation: number, probe: Permit | undefined, result?: { readonly value: unknown }): void;
  failed(generation: number, probe: Permit | undefined, error: unknown): void;
  neutral(generation: number, probe: Permit | undefined): void;
}

/**
 * Leave to make one call, for flows that `execute` does not fit (streams, callbacks). Say how it ended, once; the
 * first word counts, and a word about a circuit that has changed since is void. Disposed without a word it is
 * neutral: a `using` block cannot see its exception, so silence must not mean success.
 */
export class Permit {
  readonly #issuer: PermitIssuer;
  readonly #generation: number;
  /** True for the probe of a HALF_OPEN circuit: everybody waits for its verdict. */
  readonly probe: boolean;
  #settled = false;

  /** @internal Permits come from `CircuitBreaker.tryAcquire` and `acquire`. */
  constructor(issuer: PermitIssuer, generation: number, probe: boolean) {
    this.#issuer = issuer;
    this.#generation = generation;
    this.probe = probe;
  }

  /** True after the first verdict. */
  get settled(): boolean {
    return this.#settled;
  }

  /** The call succeeded. Hand over its result if the breaker has a `validate`. */
  succeed(...result: readonly [unknown?]): void {
    if (!this.#settle()) return;
    const given = result.length > 0 ? { value: result[0] } : undefined;
    this.#issuer.succeeded(this.#generation, this.#asProbe(), given);
  }

  /** The call failed. The breaker's `classify` says whether that counts. */
  fail(error: unknown): void {
    if (this.#settle()) this.#issuer.failed(this.#generation, this.#asProbe(), error);
  }

  /** The call says nothing about the provider: it was aborted, or never made. */
  neutral(): void {
    if (this.#settle()) this.#issuer.neutral(this.#generation, this.#asProbe());
  }

  [Symbol.dispose](): void {
    this.neutral();
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    return true;
  }

  #asProbe(): Permit | undefined {
    return this.probe ? this : undefined;
  }
}
