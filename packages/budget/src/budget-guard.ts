import {
  type Attributes,
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
import { admit, type Effort, fitHold } from './fit-hold.ts';
import { type BudgetGuardOptions, checkGuardOptions } from './guard-options.ts';
import { Hold } from './hold.ts';
import type { RequestLimit, Selection } from './limit-lines.ts';
import { type RefusalFacts, refusalError } from './refusal.ts';
import { parseSpend, type SpendAmount } from './spend-amount.ts';

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
  /** Stops waiting: for the ledger, and in the queue. */
  readonly signal?: AbortSignal | undefined;
  /** Whom it is for, where there are limits by attribute; beside what the tracker's scope says. */
  readonly attributes?: Attributes | undefined;
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
    const settings = checkGuardOptions(options);
    const engine = new BudgetEngine(parseLimits(limits, settings.ledger.unitPico), settings);
    this.#engine = engine;
    engines.set(this, engine);
    this.#unsubscribe =
      engine.settings.tracker?.onRecord((record) =>
        engine.bookings.bookRecord(record, engine.context.getStore()),
      ) ?? (() => {});
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
    const needed = parseUsd(estimatedUsd, 'estimatedUsd');
    const engine = this.#engine;
    const limits = engine.limits.select(engine.limits.attributesOf(options.attributes));
    for (const { limit, value } of moneyPerRequest(limits)) {
      if (needed > limit.amount || limit.amount === 0n) {
        throw this.#refuse({ limit, value, committed: 0n, held: 0n, needed });
      }
    }
    for (const facts of await this.#states(limits, options)) {
      const left = facts.limit.amount - facts.committed - facts.held;
      const asked = facts.limit.unit === 'usd' ? needed : 0n;
      if (asked === 0n ? left <= 0n : asked > left) throw this.#refuse({ ...facts, needed: asked });
    }
  }

  /**
   * Looks whether a call that was made, and has been recorded, broke a limit. Advisory: it books nothing.
   *
   * @throws BudgetExceededError when it cost more than `perRequest`, or a window is over its limit now; ConfigError when
   *   there are window limits and no tracker, since nothing would count what the call cost.
   */
  async checkAfter(costUsd: number | string, options: GuardCallOptions = {}): Promise<void> {
    const needed = parseUsd(costUsd, 'costUsd');
    const engine = this.#engine;
    const limits = engine.limits.select(engine.limits.attributesOf(options.attributes));
    if (limits.lines.length > 0 && engine.settings.tracker === undefined) {
      throw new ConfigError(
        `Budget "${this.name}" has limits that count, but no tracker tells it what calls cost: build it with { tracker }, or use reserve() or enforceBudget().`,
        { option: 'tracker' },
      );
    }
    for (const { limit, value } of moneyPerRequest(limits)) {
      if (needed > limit.amount)
        throw this.#refuse({ limit, value, committed: 0n, held: 0n, needed, spent: true });
    }
    for (const facts of await this.#states(limits, options)) {
      if (facts.committed <= facts.limit.amount) continue;
      throw this.#refuse({ ...facts, needed: facts.limit.unit === 'usd' ? needed : 0n, spent: true });
    }
  }

  /**
   * Sets money aside, on all limits or on none: an amount of US dollars, of dollars and tokens, or the worst case of a
   * call of a model.
   *
   * ```ts
   * const hold = await guard.reserve(0.02);
   * await hold.settle(0.0123);
   * ```
   *
   * @throws BudgetExceededError when it does not fit; UnknownPriceError and ConfigError when a model's price is needed
   *   and not known; ConfigError when an attribute is missing; LedgerError when the ledger cannot be asked;
   *   `signal.reason` on abort.
   */
  async reserve(amount: SpendAmount | PlannedUsage, options: GuardCallOptions = {}): Promise<Hold> {
    options.signal?.throwIfAborted();
    if (typeof amount === 'object' && amount !== null && 'inputTokens' in amount) {
      return this.#reserveUsage(amount, options);
    }
    const engine = this.#engine;
    const { signal } = options;
    const spend = parseSpend(amount, 'amount');
    const attributes = engine.limits.attributesOf(options.attributes);
    const effort = async (overrun: boolean): Promise<Effort<Hold>> => {
      const answer = await engine.admission.reserve(engine.limits.select(attributes), spend, signal, overrun);
      if (!answer.admitted) return answer;
      return { admitted: true, value: new Hold(engine, answer.account, undefined) };
    };
    const keys = engine.limits.select(attributes).lines.map(({ key }) => key);
    return admit(engine, keys, effort, { mayWait: true, signal });
  }

  /**
   * Every limit of money and what is left of it, the tightest first; of limits by attribute, those of the attributes
   * given or of the scope around. With a ledger that does not answer at once: as it was when last asked.
   */
  remaining(options: Pick<GuardCallOptions, 'attributes'> = {}): readonly BudgetRemaining[] {
    const engine = this.#engine;
    const limits = engine.limits.select(engine.limits.attributesOf(options.attributes), 'skip');
    const { lines } = limits;
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
    return limitStatuses(engine, limits, counters)
      .limits.map(({ limit, attribute, attributeValue, limitUsd, leftUsd, resetsAtMs }) => ({
        limit,
        ...(attribute !== undefined && { attribute, attributeValue }),
        limitUsd,
        leftUsd,
        ...(resetsAtMs !== undefined && { resetsAtMs }),
      }))
      .sort((a, b) => a.leftUsd - b.leftUsd);
  }

  /**
   * Every limit with what is spent, held and left; of limits by attribute, those of the attributes given or of the scope
   * around.
   *
   * @throws LedgerError when the ledger cannot be asked.
   */
  async status(options: GuardCallOptions = {}): Promise<BudgetStatus> {
    const engine = this.#engine;
    const limits = engine.limits.select(engine.limits.attributesOf(options.attributes), 'skip');
    const { lines } = limits;
    const counters = lines.length === 0 ? [] : await engine.ledger.status(lines, options.signal);
    const { posts } = engine.ledger;
    return {
      guard: this.name,
      ...limitStatuses(engine, limits, counters),
      holds: engine.holds.count,
      queued: engine.queue.length,
      pendingPosts: posts.pending,
      failedPosts: posts.conflicts,
      unpriced: engine.bookings.unpriced,
      unattributed: engine.bookings.unattributed,
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

  async #reserveUsage(usage: PlannedUsage, { signal, attributes: given }: GuardCallOptions): Promise<Hold> {
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
    const attributes = engine.limits.attributesOf(given, {
      model,
      ...(provider !== undefined && { provider }),
    });
    const effort = async (overrun: boolean): Promise<Effort<Hold>> => {
      const limits = engine.limits.select(attributes);
      const query = { model, id: model, ...(provider !== undefined && { provider }) };
      const price = engine.prices.forLimits(limits, query, serviceTier);
      const llm = { provider: price?.provider ?? provider ?? '', model: price?.model ?? model, id: model };
      const plan = CallPlan.ofTokens(
        [{ llm, price }],
        inputTokens,
        maxOutputTokens,
        engine.limits.outputPolicy(limits),
      );
      const fit = await fitHold(
        plan,
        (spend) => engine.admission.reserve(limits, spend, signal, overrun),
        async () => undefined,
        signal,
      );
      if (!fit.admitted) return fit;
      const { account, maxTokens } = fit.value;
      return { admitted: true, value: new Hold(engine, account, maxTokens ?? maxOutputTokens) };
    };
    const keys = engine.limits.select(attributes).lines.map(({ key }) => key);
    return admit(engine, keys, effort, { mayWait: true, signal });
  }

  async #states(
    { lines }: Selection,
    { signal }: GuardCallOptions,
  ): Promise<readonly Omit<RefusalFacts, 'guard' | 'nowMs'>[]> {
    const engine = this.#engine;
    signal?.throwIfAborted();
    if (lines.length === 0) return [];
    const counters = await engine.ledger.status(lines, signal);
    return lines.map((line, index) => engine.refusals.factsOf(line, counters[index] ?? noCounter, 0n));
  }

  #refuse(facts: Omit<RefusalFacts, 'guard' | 'nowMs'>): Error {
    const { settings } = this.#engine;
    const all = { ...facts, guard: settings.name, nowMs: settings.clock.now() };
    this.#engine.refusals.note(all);
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

const noCounter = { committed: 0n, held: 0n };

function moneyPerRequest({ perRequest }: Selection): readonly RequestLimit[] {
  return perRequest.filter(({ limit }) => limit.unit === 'usd');
}
