import { type Availability, CircuitBreakerOpen, ConfigError, requireNumber } from '@synapsekit/core';
import type { BreakerEvents, CircuitState } from './breaker-events.ts';
import { type CircuitBreakerOptions, checkBreakerOptions } from './breaker-options.ts';
import { type BreakerSnapshot, readSnapshot } from './breaker-snapshot.ts';
import type { BreakerStats } from './breaker-stats.ts';
import { Circuit } from './circuit.ts';
import type { Permit } from './permit.ts';
import { withoutStack } from './stackless.ts';

/** What a guarded function is given. */
export interface ExecuteContext {
  /** The caller's signal, if there is one. Hand it on. */
  readonly signal: AbortSignal | undefined;
}

/** A circuit that is shut by hand. Release or dispose it to open the way again. */
export interface Isolation extends Disposable {
  release(): void;
}

const noSignal: ExecuteContext = Object.freeze({ signal: undefined });

/**
 * Leaves a provider alone that fails: after `failureThreshold` failures within `windowSeconds` the circuit is OPEN
 * and calls are refused at once with `CircuitBreakerOpen`; after `recoveryTimeout` seconds it is HALF_OPEN and lets
 * exactly one probe through, whose verdict closes it or opens it again.
 *
 * ```ts
 * const breaker = new CircuitBreaker({ name: 'openai', failureThreshold: 3, windowSeconds: 30, recoveryTimeout: 60 });
 * const answer = await breaker.execute(({ signal }) => llm.generate(prompt, { signal }), { signal });
 * ```
 *
 * Aborts, bad requests, 429s and our own refusals are neutral: they neither open nor close it. Verdicts of calls
 * that began before the circuit last changed are void. It owns no timer. Around models use `breakOn`.
 */
export class CircuitBreaker {
  readonly name: string;
  readonly #circuit: Circuit;

  /** @throws ConfigError for an unknown option, a value out of range, or options that contradict each other. */
  constructor(options: CircuitBreakerOptions) {
    const settings = checkBreakerOptions(options);
    this.name = settings.name;
    this.#circuit = new Circuit(settings);
  }

  /** What a caller would find now. Reading it changes nothing. An isolated circuit is OPEN. */
  get state(): CircuitState {
    return this.#circuit.state;
  }

  /** True while somebody holds an `isolate()`. */
  get isolated(): boolean {
    return this.#circuit.isolated;
  }

  /**
   * Milliseconds until a call is let through, 0 for now. While a probe is out: until its lease ends, so at the
   * latest. `undefined` while isolated.
   */
  get retryAfterMs(): number | undefined {
    return this.#circuit.retryAfterMs;
  }

  /**
   * Calls `fn` if the circuit lets it, and learns from how it ends. Results and errors reach the caller unchanged.
   *
   * @throws CircuitBreakerOpen at once, without a call; `signal.reason` as soon as `signal` aborts, whatever `fn`
   *   does then; whatever `fn` throws.
   */
  execute<T>(
    fn: (context: ExecuteContext) => T | PromiseLike<T>,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<T> {
    const circuit = this.#circuit;
    const signal = options?.signal;
    if (signal !== undefined) return this.#executeUntil(signal, fn);
    if (!circuit.passes) return this.#executeAs(circuit.admit(), fn);
    // The way of almost every call, so it makes no permit: a generation is all that a verdict needs.
    const { generation } = circuit;
    let outcome: T | PromiseLike<T>;
    try {
      outcome = fn(noSignal);
    } catch (error) {
      circuit.failed(generation, undefined, error);
      return Promise.reject(error);
    }
    return Promise.resolve(outcome).then(
      (value) => {
        circuit.succeeded(generation, undefined, { value });
        return value;
      },
      (error: unknown) => {
        circuit.failed(generation, undefined, error);
        throw error;
      },
    );
  }

  /**
   * Leave to make one call, or `undefined` if the circuit refuses. As cheap as a bare check. Say with
   * `permit.succeed()`, `fail(error)` or `neutral()` how the call ended.
   */
  tryAcquire(): Permit | undefined {
    return this.#circuit.admit();
  }

  /** Leave to make one call. @throws CircuitBreakerOpen if the circuit refuses. */
  acquire(): Permit {
    const permit = this.#circuit.admit();
    if (permit === undefined) throw this.#refusal();
    return permit;
  }

  /** Whether a call would be let through now, for routers. Admits nobody and counts nothing. */
  availability(): Availability {
    const { retryAfterMs } = this;
    if (retryAfterMs === 0) return { available: true };
    return { available: false, retryAfterMs, error: this.#refusal() };
  }

  /**
   * Tells `listener` of every such event from now on. What it throws or rejects with reaches no call. Transitions
   * are also published on the channel `synapsekit:breaker`.
   *
   * @returns a function that ends it.
   */
  on<K extends keyof BreakerEvents>(type: K, listener: (event: BreakerEvents[K]) => unknown): () => void {
    return this.#circuit.listeners.on(type, listener);
  }

  /** Shuts the circuit by hand until every isolation is released. Verdicts of calls in flight are void. */
  isolate(): Isolation {
    const release = this.#circuit.isolate();
    return { release, [Symbol.dispose]: release };
  }

  /** Opens the circuit for `ms` milliseconds. Of this and a time that it is open already the later end counts. */
  open(ms?: number): void {
    const { recoveryMs } = this.#circuit.settings;
    this.#circuit.openByHand(ms === undefined ? recoveryMs : requireNumber(ms, 'ms', { min: 0 }));
  }

  /** Closes the circuit, and forgets failures and back-off. Isolations stay. */
  close(): void {
    this.#circuit.close('manual');
  }

  /** Closes the circuit and sets the counters to zero. Isolations and listeners stay. */
  reset(): void {
    this.#circuit.close('manual');
    this.#circuit.tally.clear();
  }

  /** Counters since the breaker was made or reset. */
  stats(): BreakerStats {
    const { state, isolated, tally } = this.#circuit;
    return { state, isolated, ...tally };
  }

  /** The state as JSON, to be restored after a restart. Isolations are not part of it. */
  snapshot(): BreakerSnapshot {
    const { mode, openForMs, openings, settings } = this.#circuit;
    const { name, rule, clock, now } = settings;
    return {
      version: 1,
      breaker: name,
      state: mode === 'CLOSED' ? 'CLOSED' : 'OPEN',
      openForMs,
      openings,
      rule: rule.kind,
      window: mode === 'CLOSED' ? rule.save(now()) : [],
      savedAtMs: clock.now(),
    };
  }

  /**
   * Takes up a snapshot, from JSON too. Time that has passed since counts; however wrong the clocks are, the circuit
   * is not open for longer than its own longest recovery. Verdicts of calls in flight are void.
   *
   * @returns false, and emits `fault`, if it is no snapshot of a breaker of this name.
   */
  restore(snapshot: unknown): boolean {
    const circuit = this.#circuit;
    const { name, rule, clock, now, maxRecoveryMs, jitter } = circuit.settings;
    const saved = readSnapshot(snapshot);
    if (saved?.breaker !== name) {
      const message = `This is no snapshot of circuit breaker "${name}". Hand over what its snapshot() gave.`;
      circuit.listeners.emit('fault', () => ({
        breaker: name,
        source: 'restore',
        error: new ConfigError(message, { option: 'snapshot' }),
      }));
      return false;
    }
    const agedMs = Math.max(0, clock.now() - saved.savedAtMs);
    const leftMs = Math.min(Math.max(0, saved.openForMs - agedMs), maxRecoveryMs * (1 + jitter));
    rule.clear();
    if (rule.kind === saved.rule) rule.load(saved.window, now(), agedMs);
    circuit.restore(saved.state, leftMs, saved.openings);
    return true;
  }

  #executeAs<T>(permit: Permit | undefined, fn: (context: ExecuteContext) => T | PromiseLike<T>): Promise<T> {
    if (permit === undefined) return Promise.reject(this.#refusal());
    let outcome: T | PromiseLike<T>;
    try {
      outcome = fn(noSignal);
    } catch (error) {
      permit.fail(error);
      return Promise.reject(error);
    }
    return Promise.resolve(outcome).then(
      (value) => {
        permit.succeed(value);
        return value;
      },
      (error: unknown) => {
        permit.fail(error);
        throw error;
      },
    );
  }

  async #executeUntil<T>(
    signal: AbortSignal,
    fn: (context: ExecuteContext) => T | PromiseLike<T>,
  ): Promise<T> {
    signal.throwIfAborted();
    const permit = this.acquire();
    const aborted = Promise.withResolvers<never>();
    aborted.promise.catch(() => {}); // `fn` may abort and throw before anybody waits
    const onAbort = (): void => {
      permit.neutral(); // at once, so that the next caller can probe
      aborted.reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const value = await Promise.race([fn({ signal }), aborted.promise]);
      permit.succeed(value);
      return value;
    } catch (error) {
      permit.fail(error);
      throw signal.aborted ? signal.reason : error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  #refusal(): CircuitBreakerOpen {
    const make = (): CircuitBreakerOpen => {
      const { refusalState: state, retryAfterMs, lastFailure } = this.#circuit;
      const facts = { breaker: this.name, state, retryAfterMs };
      return new CircuitBreakerOpen(
        refusalMessage(this.name, state, retryAfterMs),
        facts,
        lastFailure === undefined ? undefined : { cause: lastFailure },
      );
    };
    return this.#circuit.settings.captureStack ? make() : withoutStack(make);
  }
}

function refusalMessage(
  name: string,
  state: CircuitBreakerOpen['state'],
  retryAfterMs: number | undefined,
): string {
  const wait = Math.ceil(retryAfterMs ?? 0);
  switch (state) {
    case 'ISOLATED':
      return `Circuit breaker "${name}" is isolated by hand: nothing was sent. Release the isolation to let calls pass.`;
    case 'HALF_OPEN':
      return `Circuit breaker "${name}" is HALF_OPEN and its probe is out: nothing was sent. Ask again once it is back, in ${wait} ms at the latest.`;
    default:
      return `Circuit breaker "${name}" is OPEN: nothing was sent. Its next probe may go out in ${wait} ms; until then ask another provider.`;
  }
}
