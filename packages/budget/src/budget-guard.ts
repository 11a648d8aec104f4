import {
  type BudgetRemaining,
  type BudgetView,
  ConfigError,
  type LedgerStatus,
  parseUsd,
  rejectUnknownKeys,
  requireNumber,
} from '@synapsekit/core';
import { BudgetEngine } from './budget-engine.ts';
import { type BudgetLimit, parseLimits } from './budget-limit.ts';
import { type BudgetStatus, limitStatuses } from './budget-status.ts';
import { CallPlan } from './call-plan.ts';
import { isPromise } from './deadline.ts';
import { fitHold } from './fit-hold.ts';
import { type BudgetGuardOptions, checkGuardOptions } from './guard-options.ts';
import { Hold } from './hold.ts';
import { type RefusalFacts, refusalError } from './refusal.ts';

/** A call of a model, to hold its worst case by hand. */
export interface PlannedUsage {
  /** `"gpt-4o"`, `"groq/llama-3.1-8b-instant"`, or the provider's own id with `provider` beside it. */
  readonly model: string;
  readonly provider?: string | undefined;
  /** Tokens of the prompt, at most. */
  readonly inputTokens: number;
  /** The longest answer. Without it the hold says how long an answer it covers: `hold.maxOutputTokens`. */
  readonly maxOutputTokens?: number | undefined;
  /** `"batch"`, `"flex"`, `"priority"`… */
  readonly serviceTier?: string | undefined;
}

/** For one operation. */
export interface GuardCallOptions {
  /** Stops waiting for the ledger. */
  readonly signal?: AbortSignal | undefined;
}

const engines = new WeakMap<object, BudgetEngine>();

/** The workings of a guard. @throws ConfigError when it is none. */
export function engineOf(guard: BudgetGuard): BudgetEngine {
  const engine = typeof guard === 'object' && guard !== null ? engines.get(guard) : undefined;
  if (engine !== undefined) return engine;
  throw new ConfigError('guard must be a BudgetGuard.', { option: 'guard' });
}

/**
 * Limits on what is spent, in US dollars. Money is reserved before it is spent and booked once, per physical attempt.
 *
 * ```ts
 * const guard = new BudgetGuard({ perRequest: 0.10, daily: 50 }, { tracker });
 * const llm = wrap(model, enforceBudget(guard), trackCost(tracker));
 * ```
 *
 * `reserve` and `enforceBudget` are hard: no interleaving of calls passes a limit, as long as none costs more than was
 * held for it. `checkBefore` and `checkAfter` only look.
 */
export class BudgetGuard implements BudgetView {
  readonly #engine: BudgetEngine;
  readonly #unsubscribe: () => void;
  #lastCounters: readonly LedgerStatus[] = [];

  /** @throws ConfigError for a wrong limit or option. */
  constructor(limits: BudgetLimit, options: BudgetGuardOptions = {}) {
    const engine = new BudgetEngine(parseLimits(limits), checkGuardOptions(options));
    this.#engine = engine;
    engines.set(this, engine);
    this.#unsubscribe =
      engine.settings.tracker?.onRecord((record) => engine.bookRecord(record)) ?? (() => {});
  }

  /** The name that errors and messages carry. */
  get name(): string {
    return this.#engine.settings.name;
  }

  /**
   * Looks whether a call may be made. Advisory: nothing is held, so that a hundred calls at once all pass. `0` means that
   * the cost is not known: it passes while anything is left.
   *
   * @throws BudgetExceededError when it does not fit; LedgerError when the ledger cannot be asked.
   */
  async checkBefore(estimatedUsd: number | string = 0, options: GuardCallOptions = {}): Promise<void> {
    const neededPico = parseUsd(estimatedUsd, 'estimatedUsd');
    const { perRequest } = this.#engine.limits;
    if (perRequest !== undefined && (neededPico > perRequest || perRequest === 0n)) {
      throw this.#refuse({
        limit: 'perRequest',
        limitPico: perRequest,
        committedPico: 0n,
        heldPico: 0n,
        neededPico,
      });
    }
    for (const state of await this.#states(options)) {
      const left = state.limitPico - state.committedPico - state.heldPico;
      if (neededPico === 0n ? left <= 0n : neededPico > left) throw this.#refuse({ ...state, neededPico });
    }
  }

  /**
   * Looks whether a call that was made, and has been recorded, broke a limit. Advisory: it books nothing.
   *
   * @throws BudgetExceededError when it cost more than `perRequest`, or a window is over its limit now; ConfigError when
   *   there are window limits and no tracker, since nothing would count what the call cost.
   */
  async checkAfter(costUsd: number | string, options: GuardCallOptions = {}): Promise<void> {
    const neededPico = parseUsd(costUsd, 'costUsd');
    const { limits, settings } = this.#engine;
    if (limits.windows.length > 0 && settings.tracker === undefined) {
      throw new ConfigError(
        `Budget "${settings.name}" has limits that count, but no tracker tells it what calls cost: build it with { tracker }, or use reserve() or enforceBudget().`,
        { option: 'tracker' },
      );
    }
    const { perRequest } = limits;
    if (perRequest !== undefined && neededPico > perRequest) {
      throw this.#refuse({
        limit: 'perRequest',
        limitPico: perRequest,
        committedPico: 0n,
        heldPico: 0n,
        neededPico,
        spent: true,
      });
    }
    for (const state of await this.#states(options)) {
      if (state.committedPico > state.limitPico) throw this.#refuse({ ...state, neededPico, spent: true });
    }
  }

  /**
   * Sets money aside, on all limits or on none: an amount of US dollars, or the worst case of a call of a model.
   *
   * ```ts
   * const hold = await guard.reserve(0.02);
   * await hold.settle(0.0123);
   * ```
   *
   * @throws BudgetExceededError when it does not fit; UnknownPriceError and ConfigError when a model's price is needed
   *   and not known; LedgerError when the ledger cannot be asked; `signal.reason` on abort.
   */
  async reserve(amount: number | string | PlannedUsage, options: GuardCallOptions = {}): Promise<Hold> {
    const { signal } = options;
    signal?.throwIfAborted();
    if (typeof amount === 'object' && amount !== null) return this.#reserveUsage(amount, signal);
    const answer = await this.#engine.reserve(parseUsd(amount, 'amount'), signal);
    if (answer.admitted) return new Hold(this.#engine, answer.account, undefined);
    this.#engine.noteRefusal(answer.facts);
    throw refusalError(answer.facts);
  }

  /**
   * Every limit and what is left of it, the tightest first. With a ledger that does not answer at once: as it was when
   * last asked.
   */
  remaining(): readonly BudgetRemaining[] {
    const engine = this.#engine;
    const lines = engine.lines();
    try {
      const counters = engine.ledger.statusNow(lines);
      if (isPromise(counters)) this.#refresh(counters);
      else this.#lastCounters = counters;
    } catch {
      // A ledger that is away: what was seen last has to do.
    }
    const counters = lines.map(
      ({ key, window }) =>
        this.#lastCounters.find((counter) => counter.key === key && counter.window.id === window.id) ?? {
          key,
          window,
          committed: 0n,
          held: 0n,
        },
    );
    return limitStatuses(engine, lines, counters)
      .map(({ limit, limitUsd, leftUsd, resetsAtMs }) => ({
        limit,
        limitUsd,
        leftUsd,
        ...(resetsAtMs !== undefined && { resetsAtMs }),
      }))
      .sort((a, b) => a.leftUsd - b.leftUsd);
  }

  /** Every limit with what is spent, held and left. @throws LedgerError when the ledger cannot be asked. */
  async status(options: GuardCallOptions = {}): Promise<BudgetStatus> {
    const engine = this.#engine;
    const lines = engine.lines();
    const counters = lines.length === 0 ? [] : await engine.ledger.status(lines, options.signal);
    const { posts } = engine.ledger;
    return {
      guard: this.name,
      limits: limitStatuses(engine, lines, counters),
      holds: engine.holds,
      pendingPosts: posts.pending,
      failedPosts: posts.conflicts,
      unpriced: engine.unpriced,
    };
  }

  /**
   * Resolves when everything booked until now is in the ledger, as durably as that makes it. Call it before the process
   * ends.
   *
   * @throws LedgerError when something has not arrived within `ledgerTimeoutMs`; it is kept and tried again.
   */
  async flush(options: GuardCallOptions = {}): Promise<void> {
    await this.#engine.ledger.flush(options.signal);
  }

  /** Stops listening to the tracker, and flushes. The ledger stays open: it may be shared. */
  async dispose(): Promise<void> {
    this.#unsubscribe();
    await this.flush();
  }

  async #reserveUsage(usage: PlannedUsage, signal: AbortSignal | undefined): Promise<Hold> {
    const engine = this.#engine;
    rejectUnknownKeys(
      usage,
      ['model', 'provider', 'inputTokens', 'maxOutputTokens', 'serviceTier'],
      'PlannedUsage',
    );
    const { model, provider, inputTokens, maxOutputTokens, serviceTier } = usage;
    requireNumber(inputTokens, 'inputTokens', { integer: true, min: 0 });
    if (maxOutputTokens !== undefined)
      requireNumber(maxOutputTokens, 'maxOutputTokens', { integer: true, min: 0 });
    const query = { model, id: model, ...(provider !== undefined && { provider }) };
    const price = engine.prices.get(query, serviceTier);
    const llm = { provider: price.provider, model: price.model, id: model };
    const plan = CallPlan.ofTokens([{ llm, price }], inputTokens, maxOutputTokens, engine.settings);
    const hold = await fitHold(
      engine,
      plan,
      (pico) => engine.reserve(pico, signal),
      async () => undefined,
      signal,
    );
    return new Hold(engine, hold.account, hold.maxTokens ?? maxOutputTokens);
  }

  async #states(
    options: GuardCallOptions,
  ): Promise<readonly Omit<RefusalFacts, 'neededPico' | 'guard' | 'nowMs'>[]> {
    const engine = this.#engine;
    options.signal?.throwIfAborted();
    const lines = engine.lines();
    if (lines.length === 0) return [];
    const counters = await engine.ledger.status(lines, options.signal);
    return lines.map(({ limit, budgetWindow, window }, index) => {
      const { committed = 0n, held = 0n } = counters[index] ?? {};
      return {
        limit: limit.name,
        window: budgetWindow.name,
        limitPico: limit.pico,
        committedPico: engine.toPico(committed),
        heldPico: engine.toPico(held),
        resetsAtMs: window.endsAtMs,
      };
    });
  }

  #refuse(facts: Omit<RefusalFacts, 'guard' | 'nowMs'>): Error {
    const { settings } = this.#engine;
    const all = { ...facts, guard: settings.name, nowMs: settings.clock.now() };
    this.#engine.noteRefusal(all);
    return refusalError(all);
  }

  #refresh(counters: Promise<readonly LedgerStatus[]>): void {
    counters.then(
      (seen) => {
        this.#lastCounters = seen;
      },
      () => {},
    );
  }
}
