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

/** What a call to a model may cost at most. @throws ConfigError, UnknownPriceError. */
export function planCall(engine: BudgetEngine, llm: LLM, prompt: Prompt, options: CallOptions): CallPlan {
  return CallPlan.of(plannedModels(engine, llm, options), prompt, options, engine.settings);
}

function plannedModels(engine: BudgetEngine, llm: LLM, options: CallOptions): readonly PlannedModel[] {
  return leavesOf(llm).map((leaf) => ({ llm: leaf, price: engine.prices.get(leaf, options.serviceTier) }));
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
      ...(hold.maxTokens !== undefined && { maxTokens: hold.maxTokens }),
      onAttemptStart: (attempt) => this.#start(attempt),
      onAttempt: (attempt) => this.#finish(attempt),
    };
    this.#account.keeper.retain();
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
    const around = engine.context.getStore();
    const joined = around !== undefined && !around.ended ? around : undefined;
    const hold = await fitHold(
      engine,
      plan,
      (pico) => (joined === undefined ? engine.reserve(pico, signal) : engine.claim(joined, pico, signal)),
      () => exactInputTokens(models, prompt, options, engine.settings.tokenCounter),
      signal,
    );
    return new GuardedCall(engine, llm, options, hold, joined !== undefined);
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

  /** Books an answer whose model reported no attempts. Returns it. */
  complete<T extends Generation>(generation: T): T {
    if (this.#reported) return generation;
    const { attempts = [], usage } = generation;
    for (const attempt of attempts) this.#finish(attempt, false);
    if (attempts.length === 0 && usage !== undefined && usage.inputTokens + usage.outputTokens > 0) {
      const { provider, model } = this.#llm;
      const pico = this.#priced(
        { provider: generation.provider ?? provider, model: generation.model ?? model },
        usage,
      );
      const attemptId = usage.attemptId ?? this.#engine.settings.ids();
      this.#engine.book(this.#account, attemptId, pico, usage.source !== 'estimated');
    }
    return generation;
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
      if (neededPico > ownPico) await this.#claimMore(attempt, neededPico, ownPico);
      this.#inFlight.set(attempt.attemptId, neededPico);
      this.#account.keeper.retain();
    }
    await this.#callerOptions.onAttemptStart?.(attempt);
  }

  async #claimMore(attempt: AttemptIdentity, neededPico: PicoUsd, ownPico: PicoUsd): Promise<void> {
    const engine = this.#engine;
    try {
      const answer = await engine.claim(this.#account, neededPico - ownPico, this.#callerOptions.signal);
      if (answer.admitted) return;
      const facts = { ...answer.facts, neededPico };
      engine.noteRefusal(facts);
      throw refusalError(facts);
    } catch (error) {
      if (this.#ended) this.#account.claimedPico -= ownPico;
      else this.#sharePico += ownPico;
      engine.covered.delete(attempt);
      throw error;
    }
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
    const kept = this.#joined && !this.#ended ? unspent : 0n;
    this.#sharePico += kept;
    this.#account.claimedPico -= claimedPico - kept;
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
      return { pico: claimedPico ?? this.#worstCase(attempt), actual: false };
    }
    if (usage === undefined) return { pico: claimedPico ?? this.#worstCase(attempt), actual: false };
    return {
      pico: this.#priced(attempt, usage),
      actual: outcome === 'served' && usage.source !== 'estimated',
    };
  }

  /** The price of what served; where that has none, of what was asked for. */
  #priced({ provider, model }: { readonly provider: string; readonly model: string }, usage: Usage): PicoUsd {
    const { servedModel, serviceTier } = usage;
    const price =
      (servedModel !== undefined && servedModel !== model
        ? this.#engine.prices.find({ provider, model: servedModel }, serviceTier)
        : undefined) ??
      this.#engine.prices.find({ provider, model }, serviceTier) ??
      this.#hold.plan.priceOf({ provider, model });
    return price?.costPico(usage) ?? this.#hold.pico;
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
