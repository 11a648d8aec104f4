import {
  type Attempt,
  type AttemptIdentity,
  type CallOptions,
  type Generation,
  type LLM,
  tellAttempt,
  type Usage,
} from '@synapsekit/core';
import type { BudgetEngine } from './budget-engine.ts';
import { isPromise } from './deadline.ts';
import type { FittedHold } from './fit-hold.ts';
import type { HoldAccount } from './hold-account.ts';
import { refusalError } from './refusal.ts';
import { withMaxTokens } from './set-max-tokens.ts';
import { SmallMap } from './small-map.ts';
import { atLeastZero, covers, greater, lesser, minus, nothing, plus, type Spend, tokensOf } from './spend.ts';

/**
 * One call that goes out under a hold: its own, or that of a call of the same guard around it (a router's), of which it
 * takes a share.
 */
export class GuardedCall {
  /** The model to call. */
  readonly llm: LLM;
  /** What it is called with. */
  readonly options: CallOptions;
  readonly #engine: BudgetEngine;
  readonly #callerOptions: CallOptions;
  readonly #hold: FittedHold;
  readonly #account: HoldAccount;
  /** True for a call inside another one's hold. */
  readonly #joined: boolean;
  /** What this call has claimed of the hold, and no attempt of it uses. */
  #share: Spend;
  readonly #inFlight = new SmallMap<Spend>();
  /** The attempt that was started last. */
  #latest: AttemptIdentity | undefined;
  #ended = false;
  #reported = false;

  /** @param joined true for a call inside another one's hold. */
  constructor(engine: BudgetEngine, llm: LLM, callerOptions: CallOptions, hold: FittedHold, joined: boolean) {
    this.#engine = engine;
    this.llm = llm;
    this.#callerOptions = callerOptions;
    this.#hold = hold;
    this.#account = hold.account;
    this.#joined = joined;
    this.#share = joined ? hold.spend : nothing;
    this.options = {
      ...callerOptions,
      ...(hold.maxTokens !== undefined && withMaxTokens(hold.maxTokens, callerOptions)),
      onAttemptStart: (attempt) => this.#start(attempt),
      onAttempt: (attempt) => this.#finish(attempt),
    };
  }

  /** Runs `fn` so that records made in it draw down the hold. */
  run<T>(fn: () => T): T {
    return this.#engine.context.run(this.#account, fn);
  }

  /** There is work going on: a call is out, or a stream is being read. */
  working(): void {
    this.#account.keeper.begin();
  }

  /** It pauses. */
  idle(): void {
    this.#account.keeper.end();
  }

  /** Books an answer whose model reported no attempts. Returns it, with its attempt if it had none. */
  complete(generation: Generation): Generation {
    if (this.#reported) return generation;
    const { attempts = [], usage } = generation;
    for (const attempt of attempts) this.#finish(attempt, false);
    if (attempts.length > 0 || usage === undefined) return generation;
    // No tokens and no attempts: it came from a cache, or from nowhere.
    if (usage.inputTokens === 0 && usage.outputTokens === 0) return generation;
    const { provider, model, id } = this.llm;
    // A tracker around this call, and whoever records the answer by hand, has to see the same id.
    const attemptId = usage.attemptId ?? this.#engine.settings.ids();
    const attempt: Attempt = Object.freeze({
      attemptId,
      provider: generation.provider ?? provider,
      model: generation.model ?? model,
      id: generation.servedBy ?? id,
      outcome: generation.finishReason === 'aborted' ? 'partial' : 'served',
      usage: Object.freeze({ ...usage, attemptId }),
      latencyMs: generation.latencyMs ?? 0,
    });
    this.#finish(attempt);
    return { ...generation, usage: { ...usage, attemptId }, attempts: [attempt] };
  }

  /** The call is over, well or badly. What its hold did not need is free, once its last attempt has ended. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#account.unclaim(this.#share);
    this.#share = nothing;
    this.#account.keeper.release();
  }

  /** Whether what was held for this call is used up by a prompt and an answer of so many tokens. */
  isUsedUp(inputTokens: number, outputTokens: number): boolean {
    const model = this.#latest ?? this.llm;
    const held = (this.#latest && this.#inFlight.get(this.#latest.attemptId)) ?? this.#hold.spend;
    const tokens = BigInt(inputTokens + outputTokens);
    if (this.#account.limits.countsTokens && tokens >= held.tokens) return true;
    if (!this.#account.limits.countsMoney) return false;
    const pico = this.#hold.plan.priceOf(model)?.costPico({ inputTokens, outputTokens }) ?? 0n;
    return pico > 0n && pico >= held.pico;
  }

  /** The stream was ended because that is so. */
  noteCut(): void {
    this.#engine.announcer.cut(this.#latest?.attemptId, this.#hold.spend);
  }

  /** Makes sure that an attempt is covered: a second one inside this call needs more than the first one held. */
  #start(attempt: AttemptIdentity): void | Promise<void> {
    const engine = this.#engine;
    const known = this.#inFlight.get(attempt.attemptId) !== undefined || engine.covered.has(attempt);
    if (known) return this.#started(attempt);
    const live = engine.admission.requireLive(this.#account, this.#callerOptions.signal);
    return isPromise(live) ? live.then(() => this.#cover(attempt)) : this.#cover(attempt);
  }

  #cover(attempt: AttemptIdentity): void | Promise<void> {
    // For a call of the same guard around this one: it is asked next, if anybody is.
    if (this.#callerOptions.onAttemptStart !== undefined) this.#engine.covered.add(attempt);
    const needed = this.#worstCase(attempt);
    const own = lesser(needed, this.#share);
    this.#share = minus(this.#share, own);
    this.#account.keeper.retain(); // before any wait: the call may end during it
    if (covers(own, needed)) return this.#startCovered(attempt, needed);
    const more = minus(needed, own);
    if (this.#account.claimAtOnce(more)) return this.#startCovered(attempt, needed);
    return this.#claimMore(attempt, needed, own).then(() => this.#startCovered(attempt, needed));
  }

  #startCovered(attempt: AttemptIdentity, needed: Spend): void | Promise<void> {
    if (this.#account.finished.get(attempt.attemptId) === true) {
      this.#giveBack(needed); // it was aborted while it waited for the ledger
      this.#account.keeper.release();
      return;
    }
    this.#inFlight.set(attempt.attemptId, needed);
    return this.#started(attempt);
  }

  #started(attempt: AttemptIdentity): void | Promise<void> {
    this.#latest = attempt;
    return this.#callerOptions.onAttemptStart?.(attempt);
  }

  async #claimMore(attempt: AttemptIdentity, needed: Spend, own: Spend): Promise<void> {
    const engine = this.#engine;
    const account = this.#account;
    const { signal } = this.#callerOptions;
    try {
      const more = minus(needed, own);
      let answer = await engine.admission.claim(account, more, signal);
      if (!answer.admitted && engine.settings.onExceeded.has('warn')) {
        account.overrun = true;
        engine.announcer.overrun(answer.facts);
        answer = await engine.admission.claim(account, more, signal);
      }
      if (answer.admitted) return;
      const { limit } = answer.facts;
      const facts = { ...answer.facts, needed: limit.unit === 'usd' ? needed.pico : needed.tokens };
      engine.refusals.note(facts);
      throw refusalError(facts);
    } catch (error) {
      this.#giveBack(own);
      account.keeper.release();
      engine.covered.delete(attempt);
      throw error;
    }
  }

  /** What was claimed, and no attempt needs: to this call's share while there is one. */
  #giveBack(spend: Spend): void {
    if (this.#joined && !this.#ended) this.#share = plus(this.#share, spend);
    else this.#account.unclaim(spend);
  }

  #finish(attempt: Attempt, tell = true): void {
    this.#reported = true;
    if (this.#account.finished.get(attempt.attemptId) === undefined) {
      this.#account.finished.set(attempt.attemptId, true);
      this.#settle(attempt);
    }
    if (tell) tellAttempt(this.#callerOptions.onAttempt, attempt);
  }

  #settle(attempt: Attempt): void {
    const claimed = this.#inFlight.get(attempt.attemptId);
    // A tracker may have told of it already.
    const booked = this.#account.actualOf(attempt.attemptId);
    const cost = booked === undefined ? this.#cost(attempt, claimed) : { spend: booked, actual: true };
    if (cost !== undefined && booked === undefined) {
      this.#engine.bookings.book(this.#account, attempt.attemptId, cost.spend, cost.actual);
    }
    if (claimed === undefined) {
      // An adapter that does not ask before it sends: its cost comes out of the share.
      const drawn = cost === undefined ? nothing : lesser(cost.spend, this.#share);
      this.#share = minus(this.#share, drawn);
      this.#account.unclaim(drawn);
      return;
    }
    this.#inFlight.delete(attempt.attemptId);
    const unspent = cost === undefined ? claimed : atLeastZero(minus(claimed, cost.spend));
    this.#account.unclaim(minus(claimed, unspent));
    this.#giveBack(unspent);
    this.#account.keeper.release();
  }

  #cost(
    attempt: Attempt,
    claimed: Spend | undefined,
  ): { readonly spend: Spend; readonly actual: boolean } | undefined {
    const { outcome, usage } = attempt;
    if (outcome === 'refused' || outcome === 'unsent') return undefined;
    if (outcome === 'unanswered') {
      if (this.#engine.settings.onLostCall === 'release') return undefined;
      return { spend: claimed ?? this.#mostOf(attempt), actual: false };
    }
    const spend = usage === undefined ? undefined : this.#priced(attempt, usage);
    if (spend === undefined) return { spend: claimed ?? this.#mostOf(attempt), actual: false };
    const isEstimate = usage?.source === 'estimated';
    if (isEstimate && this.#engine.settings.onCutStream === 'hold') {
      return { spend: greater(spend, claimed ?? this.#mostOf(attempt)), actual: false };
    }
    return { spend, actual: outcome === 'served' && !isEstimate };
  }

  /**
   * What it cost, by the price of what served; where that has none, of what was asked for. `undefined` where there is no
   * price, or a usage that is none: an answer was paid for all the same.
   */
  #priced({ provider, model }: Pick<LLM, 'provider' | 'model'>, usage: Usage): Spend | undefined {
    const { servedModel, serviceTier } = usage;
    const tokens = tokensOf(usage);
    if (!this.#account.limits.countsMoney) return tokens > 0n ? { pico: 0n, tokens } : undefined;
    const { prices } = this.#engine;
    try {
      const price =
        (servedModel !== undefined && servedModel !== model
          ? prices.find({ provider, model: servedModel }, serviceTier)
          : undefined) ??
        prices.find({ provider, model }, serviceTier) ??
        this.#hold.plan.priceOf({ provider, model });
      const pico = price?.costPico(usage);
      return pico !== undefined && pico >= 0n ? { pico, tokens } : undefined;
    } catch {
      return undefined;
    }
  }

  /** The worst case of an attempt that was made already, so that nothing is left to refuse. */
  #mostOf(attempt: AttemptIdentity): Spend {
    try {
      return this.#worstCase(attempt);
    } catch {
      return this.#hold.spend;
    }
  }

  #worstCase(model: Pick<AttemptIdentity, 'provider' | 'model' | 'id'>): Spend {
    const { plan, maxTokens } = this.#hold;
    const { inputTokens } = plan;
    const spend = plan.costAt(model, maxTokens);
    if (spend !== undefined) return spend;
    // Somebody that the model around it did not name among its candidates.
    const { prices, settings } = this.#engine;
    const price = prices.forLimits(this.#account.limits, model, this.#callerOptions.serviceTier);
    const outputTokens = this.options.maxTokens ?? price?.maxOutputTokens ?? settings.defaultMaxOutputTokens;
    return {
      pico: price?.maxCostPico({ inputTokens, outputTokens }) ?? 0n,
      tokens: BigInt(inputTokens + outputTokens),
    };
  }
}
