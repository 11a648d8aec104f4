import {
  type Attempt,
  type AttemptIdentity,
  type CallOptions,
  type Generation,
  type LLM,
  type PicoUsd,
  type Prompt,
  tellAttempt,
  type Usage,
} from '@synapsekit/core';
import type { BudgetEngine } from './budget-engine.ts';
import { CallPlan, exactInputTokens, leavesOf, type PlannedModel } from './call-plan.ts';

import { type FittedHold, fitHold } from './fit-hold.ts';
import type { HoldAccount } from './hold-account.ts';
import { atLeastZero, lesser } from './pico.ts';
import { refusalError } from './refusal.ts';
import { withMaxTokens } from './set-max-tokens.ts';

/** What a call to a model may cost at most. @throws ConfigError, UnknownPriceError. */
export function planCall(engine: BudgetEngine, llm: LLM, prompt: Prompt, options: CallOptions): CallPlan {
  return CallPlan.of(plannedModels(engine, llm, options), prompt, options, engine.settings);
}

function plannedModels(engine: BudgetEngine, llm: LLM, options: CallOptions): readonly PlannedModel[] {
  return leavesOf(llm).map((leaf) => ({ llm: leaf, price: engine.prices.get(leaf, options.serviceTier) }));
}

/** The hold that the running code works under, if there is one to work under. Whoever gets it has to release it. */
async function joinHold(
  engine: BudgetEngine,
  signal: AbortSignal | undefined,
): Promise<HoldAccount | undefined> {
  const around = engine.context.getStore();
  if (around === undefined || around.ended || around.settled) return undefined;
  around.keeper.retain(); // before any wait: its owner may leave during it
  try {
    if (await engine.isLive(around, signal)) return around;
  } catch (error) {
    around.keeper.release();
    throw error;
  }
  around.keeper.release();
  return undefined;
}

/**
 * One call that goes out under a hold: its own, or that of a call of the same guard around it (a router's), of which it
 * takes a share.
 */
export class GuardedCall {
  /** What the model is called with. */
  readonly options: CallOptions;
  readonly #engine: BudgetEngine;
  readonly #llm: LLM;
  readonly #callerOptions: CallOptions;
  readonly #hold: FittedHold;
  readonly #account: HoldAccount;
  /** True for a call inside another one's hold. */
  readonly #joined: boolean;
  /** What this call has claimed of the hold, and no attempt of it uses. */
  #sharePico: PicoUsd;
  readonly #inFlight = new Map<string, PicoUsd>();
  #ended = false;
  #reported = false;

  private constructor(
    engine: BudgetEngine,
    llm: LLM,
    callerOptions: CallOptions,
    hold: FittedHold,
    joined: boolean,
  ) {
    this.#engine = engine;
    this.#llm = llm;
    this.#callerOptions = callerOptions;
    this.#hold = hold;
    this.#account = hold.account;
    this.#joined = joined;
    this.#sharePico = joined ? hold.pico : 0n;
    this.options = {
      ...callerOptions,
      ...(hold.maxTokens !== undefined && withMaxTokens(hold.maxTokens, callerOptions)),
      onAttemptStart: (attempt) => this.#start(attempt),
      onAttempt: (attempt) => this.#finish(attempt),
    };
  }

  /**
   * Takes a hold that covers a call.
   *
   * @throws BudgetExceededError, UnknownPriceError, ConfigError, LedgerError; `signal.reason` on abort.
   */
  static async begin(
    engine: BudgetEngine,
    llm: LLM,
    prompt: Prompt,
    options: CallOptions,
  ): Promise<GuardedCall> {
    const { signal } = options;
    const models = plannedModels(engine, llm, options);
    const plan = CallPlan.of(models, prompt, options, engine.settings);
    const joined = await joinHold(engine, signal);
    try {
      const hold = await fitHold(
        engine,
        plan,
        (pico) => (joined === undefined ? engine.reserve(pico, signal) : engine.claim(joined, pico, signal)),
        () => exactInputTokens(models, prompt, options, engine.settings.tokenCounter),
        signal,
      );
      if (joined === undefined) hold.account.keeper.retain();
      return new GuardedCall(engine, llm, options, hold, joined !== undefined);
    } catch (error) {
      joined?.keeper.release();
      throw error;
    }
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
    const { provider, model, id } = this.#llm;
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
    this.#account.claimedPico -= this.#sharePico;
    this.#sharePico = 0n;
    this.#account.keeper.release();
  }

  /** Makes sure that an attempt is covered: a second one inside this call needs more than the first one held. */
  async #start(attempt: AttemptIdentity): Promise<void> {
    const engine = this.#engine;
    if (!engine.covered.has(attempt)) {
      engine.covered.add(attempt);
      const neededPico = this.#worstCase(attempt);
      const ownPico = lesser(neededPico, this.#sharePico);
      this.#sharePico -= ownPico;
      this.#account.keeper.retain(); // before any wait: the call may end during it
      if (neededPico > ownPico) await this.#claimMore(attempt, neededPico, ownPico);
      if (this.#account.finished.has(attempt.attemptId)) {
        this.#giveBack(neededPico); // it was aborted while it waited for the ledger
        this.#account.keeper.release();
        return;
      }
      this.#inFlight.set(attempt.attemptId, neededPico);
    }
    await this.#callerOptions.onAttemptStart?.(attempt);
  }

  async #claimMore(attempt: AttemptIdentity, neededPico: PicoUsd, ownPico: PicoUsd): Promise<void> {
    const engine = this.#engine;
    const { signal } = this.#callerOptions;
    try {
      const answer = await engine.claim(this.#account, neededPico - ownPico, signal);
      if (answer.admitted) return;
      const facts = { ...answer.facts, neededPico };
      engine.noteRefusal(facts);
      throw refusalError(facts);
    } catch (error) {
      this.#giveBack(ownPico);
      this.#account.keeper.release();
      engine.covered.delete(attempt);
      throw error;
    }
  }

  /** What was claimed, and no attempt needs: to this call's share while there is one. */
  #giveBack(pico: PicoUsd): void {
    if (this.#joined && !this.#ended) this.#sharePico += pico;
    else this.#account.claimedPico -= pico;
  }

  #finish(attempt: Attempt, tell = true): void {
    this.#reported = true;
    if (!this.#account.finished.has(attempt.attemptId)) {
      this.#account.finished.add(attempt.attemptId);
      this.#settle(attempt);
    }
    if (tell) tellAttempt(this.#callerOptions.onAttempt, attempt);
  }

  #settle(attempt: Attempt): void {
    const claimedPico = this.#inFlight.get(attempt.attemptId);
    const cost = this.#cost(attempt, claimedPico);
    if (cost !== undefined) {
      this.#engine.book(this.#account, attempt.attemptId, cost.pico, cost.actual);
    }
    if (claimedPico === undefined) {
      // An adapter that does not ask before it sends: its cost comes out of the share.
      const drawn = cost === undefined ? 0n : lesser(cost.pico, this.#sharePico);
      this.#sharePico -= drawn;
      this.#account.claimedPico -= drawn;
      return;
    }
    this.#inFlight.delete(attempt.attemptId);
    const unspent = cost === undefined ? claimedPico : atLeastZero(claimedPico - cost.pico);
    this.#account.claimedPico -= claimedPico - unspent;
    this.#giveBack(unspent);
    this.#account.keeper.release();
  }

  #cost(
    attempt: Attempt,
    claimedPico: PicoUsd | undefined,
  ): { readonly pico: PicoUsd; readonly actual: boolean } | undefined {
    const { outcome, usage } = attempt;
    if (outcome === 'refused' || outcome === 'unsent') return undefined;
    if (outcome === 'unanswered') {
      if (this.#engine.settings.onLostCall === 'release') return undefined;
      return { pico: claimedPico ?? this.#mostOf(attempt), actual: false };
    }
    const pico = usage === undefined ? undefined : this.#priced(attempt, usage);
    if (pico === undefined) return { pico: claimedPico ?? this.#mostOf(attempt), actual: false };
    return { pico, actual: outcome === 'served' && usage?.source !== 'estimated' };
  }

  /**
   * What it cost, by the price of what served; where that has none, of what was asked for. `undefined` where there is no
   * price, or a usage that is none: an answer was paid for all the same.
   */
  #priced({ provider, model }: Pick<LLM, 'provider' | 'model'>, usage: Usage): PicoUsd | undefined {
    const { servedModel, serviceTier } = usage;
    const { prices } = this.#engine;
    try {
      const price =
        (servedModel !== undefined && servedModel !== model
          ? prices.find({ provider, model: servedModel }, serviceTier)
          : undefined) ??
        prices.find({ provider, model }, serviceTier) ??
        this.#hold.plan.priceOf({ provider, model });
      const pico = price?.costPico(usage);
      return pico !== undefined && pico >= 0n ? pico : undefined;
    } catch {
      return undefined;
    }
  }

  /** The worst case of an attempt that was made already, so that nothing is left to refuse. */
  #mostOf(attempt: AttemptIdentity): PicoUsd {
    try {
      return this.#worstCase(attempt);
    } catch {
      return this.#hold.pico;
    }
  }

  #worstCase(model: Pick<AttemptIdentity, 'provider' | 'model' | 'id'>): PicoUsd {
    const { plan, maxTokens } = this.#hold;
    const pico = plan.costAt(model, maxTokens);
    if (pico !== undefined) return pico;
    // Somebody that the model around it did not name among its candidates.
    const price = this.#engine.prices.get(model, this.#callerOptions.serviceTier);
    const outputTokens =
      this.options.maxTokens ?? price.maxOutputTokens ?? this.#engine.settings.defaultMaxOutputTokens;
    return price.maxCostPico({ inputTokens: plan.inputTokens, outputTokens });
  }
}
