import type { BudgetExceededError, Clock } from '@synapsekit/core';

/** Somebody who waits for room under a limit. */
interface Waiter {
  /** The limits that it needs room under, by key. */
  readonly keys: readonly string[];
  /** Something became free since it last looked. */
  pulsed: boolean;
  wake: () => void;
}

/** One try to get in. */
export type Entry<T> =
  | { readonly admitted: true; readonly value: T }
  | { readonly admitted: false; readonly refusal: BudgetExceededError };

/** How long until it is looked again whether something became free elsewhere, milliseconds: at first, and at most. */
const firstLookMs = 50;
const lastLookMs = 1_000;
/** Why a pause ends early. Without a reason, each would make an error with a stack. */
const woken = Symbol('woken');

/**
 * Calls of one process that wait until they fit, first come first served: whoever needs a limit that somebody waits for
 * goes behind him, and one who waits for one limit holds up nobody who needs others. Holds nothing while it waits, so
 * that no two of one guard can wait for each other. With holds of other guards they can, until the time is up.
 */
export class WaitQueue {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #maxLength: number;
  /** In the order in which they came. */
  readonly #waiters: Waiter[] = [];
  /** How many wait for each limit. */
  readonly #waiting = new Map<string, number>();
  /** How many wait for no limit of these: it is always their turn. */
  #unlimited = 0;

  /** @param timeoutMs the longest wait. @param maxLength how many may wait at once. */
  constructor(clock: Clock, timeoutMs: number, maxLength: number) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#maxLength = maxLength;
  }

  get length(): number {
    return this.#waiters.length;
  }

  /** Something became free: those whose turn it is look again. */
  pulse(): void {
    if (this.#waiters.length === 0) return;
    const taken = new Set<string>();
    for (const waiter of this.#waiters) {
      // Nobody further back can have a turn.
      if (taken.size === this.#waiting.size && this.#unlimited === 0) return;
      const hasTurn = waiter.keys.every((key) => !taken.has(key));
      for (const key of waiter.keys) taken.add(key);
      if (!hasTurn) continue;
      waiter.pulsed = true;
      waiter.wake();
    }
  }

  /**
   * Gets in at once, or waits until a try does.
   *
   * @param keys the limits that it needs room under.
   * @throws the last refusal, when the time is up, waiting cannot help, or too many wait; `signal.reason` on abort.
   */
  async enter<T>(
    keys: readonly string[],
    tryEntry: () => Promise<Entry<T>>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const endsAtMs = this.#clock.monotonic() + this.#timeoutMs;
    if (!this.#isWaitedFor(keys) || this.#waiters.length >= this.#maxLength) {
      const entry = await tryEntry();
      if (entry.admitted) return entry.value;
      if (this.#waiters.length >= this.#maxLength || !this.#mayHelp(entry.refusal, endsAtMs))
        throw entry.refusal;
    }
    return this.#wait(keys, endsAtMs, tryEntry, signal);
  }

  async #wait<T>(
    keys: readonly string[],
    endsAtMs: number,
    tryEntry: () => Promise<Entry<T>>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const waiter: Waiter = { keys, pulsed: false, wake: () => {} };
    this.#waiters.push(waiter);
    for (const key of keys) this.#waiting.set(key, (this.#waiting.get(key) ?? 0) + 1);
    if (keys.length === 0) this.#unlimited += 1;
    try {
      for (let lookMs = firstLookMs; ; lookMs = Math.min(lastLookMs, lookMs * 2)) {
        const leftMs = endsAtMs - this.#clock.monotonic();
        // At the end everybody may try, whoever is before him: nobody is refused who would have fitted.
        if (leftMs <= 0) return await finalTry(tryEntry);
        if (!waiter.pulsed) await this.#pause(waiter, Math.min(lookMs, leftMs), signal);
        waiter.pulsed = false;
        if (!this.#hasTurn(waiter)) continue;
        const entry = await tryEntry();
        if (entry.admitted) return entry.value;
        if (!this.#mayHelp(entry.refusal, endsAtMs)) throw entry.refusal;
      }
    } finally {
      this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
      if (keys.length === 0) this.#unlimited -= 1;
      for (const key of keys) {
        const others = (this.#waiting.get(key) ?? 0) - 1;
        if (others > 0) this.#waiting.set(key, others);
        else this.#waiting.delete(key);
      }
      this.pulse();
    }
  }

  #isWaitedFor(keys: readonly string[]): boolean {
    return keys.some((key) => this.#waiting.has(key));
  }

  /** Whether it can fit before the time is up. */
  #mayHelp({ fits, resetsAtMs, retryAfterMs }: BudgetExceededError, endsAtMs: number): boolean {
    if (fits === 'never') return false;
    if (fits === 'in-flight' || resetsAtMs === undefined) return true;
    return this.#clock.monotonic() + (retryAfterMs ?? 0) <= endsAtMs;
  }

  #hasTurn(waiter: Waiter): boolean {
    for (const earlier of this.#waiters) {
      if (earlier === waiter) return true;
      if (sharesKey(earlier, waiter.keys)) return false;
    }
    return true;
  }

  /** Until something became free, or for so long. */
  async #pause(waiter: Waiter, ms: number, signal: AbortSignal | undefined): Promise<void> {
    const over = new AbortController();
    waiter.wake = () => over.abort(woken);
    const onAbort = (): void => over.abort(woken);
    if (signal?.aborted === true) over.abort(woken);
    else signal?.addEventListener('abort', onAbort, { once: true });
    try {
      await this.#clock.sleep(ms, { signal: over.signal });
    } catch {
      // woken
    } finally {
      signal?.removeEventListener('abort', onAbort);
      waiter.wake = () => {};
    }
    signal?.throwIfAborted();
  }
}

async function finalTry<T>(tryEntry: () => Promise<Entry<T>>): Promise<T> {
  const entry = await tryEntry();
  if (entry.admitted) return entry.value;
  throw entry.refusal;
}

function sharesKey({ keys }: Waiter, others: readonly string[]): boolean {
  return keys.some((key) => others.includes(key));
}
