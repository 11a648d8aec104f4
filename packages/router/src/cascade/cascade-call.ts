import {
  AllProvidersFailedError,
  type CallOptions,
  failoverGenerate,
  failureRule,
  type Generation,
  isSynapseError,
  type LLM,
  type Prompt,
  type ProviderFailure,
} from '@synapsekit/core';
import type { Decision } from '../policy/route-desk.ts';
import { inScope, type RouteScope } from '../route-scope.ts';
import type { RoutedGeneration } from '../routed.ts';
import type { RoutedCall } from '../routed-call.ts';
import type { Verifier } from '../verify/verifier.ts';
import type { CascadeOutcome, CascadeRoute, CascadeTry } from './cascade-route.ts';
import { type Judgement, judge } from './judge.ts';
import { ladderOf, type Rung } from './ladder.ts';

/** What a call goes by. */
export interface CascadeRules {
  readonly verify: readonly Verifier[];
  /** A doubtful answer is kept where less is to be gained. `undefined`: no gain model. */
  readonly minGain: number | undefined;
  readonly keepDoubtful: boolean;
  readonly scope: RouteScope;
}

/** An answer that is not handed out yet. */
export interface HeldAnswer {
  readonly rung: Rung;
  readonly generation: Generation;
  readonly result: Judgement['result'];
}

/** One call on its way up the tiers: the same for whole answers and streams. */
export class CascadeCall {
  readonly call: RoutedCall;
  readonly #rules: CascadeRules;
  readonly #decision: Decision;
  readonly #prompt: Prompt;
  readonly #options: CallOptions;
  readonly #predictedGain: number | undefined;
  readonly #rungs: readonly Rung[];
  readonly #tries: CascadeTry[] = [];
  readonly #failures: ProviderFailure[] = [];
  #at = 0;
  #held: HeldAnswer | undefined;
  #escalationError: { readonly error: unknown } | undefined;

  constructor(start: {
    readonly call: RoutedCall;
    readonly rules: CascadeRules;
    readonly decision: Decision;
    readonly prompt: Prompt;
    readonly options: CallOptions;
    readonly predictedGain: number | undefined;
  }) {
    this.call = start.call;
    this.#rules = start.rules;
    this.#decision = start.decision;
    this.#prompt = start.prompt;
    this.#options = start.options;
    this.#predictedGain = start.predictedGain;
    this.#rungs = ladderOf(start.decision);
  }

  /** The tier to ask now. */
  get rung(): Rung {
    return this.#rungs[this.#at] as Rung;
  }

  /** True when the answer of this tier will be looked at before it is handed out. */
  get looks(): boolean {
    return this.#above() !== undefined;
  }

  get step(): 'answer' | 'escalate' {
    return this.#at === 0 ? 'answer' : 'escalate';
  }

  /** What the models of this tier are called with. */
  get callOptions(): CallOptions {
    const options = this.call.optionsFor(this.step);
    const wantsLogprobs =
      this.looks && this.#rules.verify.some(({ needsLogprobs }) => needsLogprobs === true);
    const can = this.rung.models.every(({ capabilities }) => capabilities?.logprobs === true);
    return wantsLogprobs && can && options.logprobs === undefined ? { ...options, logprobs: true } : options;
  }

  /**
   * The tier could not answer. Goes on to the next one.
   *
   * @returns the doubtful answer that is to be handed out instead, if there is one.
   * @throws the error when nobody else may be asked.
   */
  failed(error: unknown): HeldAnswer | undefined {
    const { signal } = this.call;
    if (signal?.aborted === true) throw signal.reason;
    const next = this.#next();
    this.#tries.push({ tier: this.rung.tier, verdicts: [] });
    if (isSynapseError(error, 'all-providers-failed')) this.#failures.push(...error.errors);
    else this.#failures.push({ id: this.rung.models[0]?.id ?? '', outcome: 'failed', error });
    const { failover } = failureRule(error);
    const held = this.#held;
    if (held !== undefined && next === undefined) {
      if (held.result === 'broken' || !this.#rules.keepDoubtful) throw this.#ofAllTiers(error);
      this.#escalationError = { error };
      return held;
    }
    // A stronger model does not need less of a budget.
    if (failover === false || failover === 'smaller-hold' || next === undefined) {
      if (held !== undefined && held.result === 'doubtful' && this.#rules.keepDoubtful) {
        this.#escalationError = { error };
        return held;
      }
      throw this.#ofAllTiers(error);
    }
    // Down again, to where this call did not even begin: nobody stronger is left.
    if (next.tier < this.rung.tier) this.#escalationError = { error };
    this.#at++;
    return undefined;
  }

  /**
   * Looks at the answer of this tier.
   *
   * @returns the answer to hand out, or `undefined` after moving on to the next tier.
   */
  async answered(generation: Generation): Promise<HeldAnswer | undefined> {
    const { rung } = this;
    this.call.note(this.step, generation.attempts);
    this.#failures.push(...generation.failures);
    if (!this.looks) {
      this.#tries.push({ tier: rung.tier, servedBy: generation.servedBy, verdicts: [] });
      return { rung, generation, result: 'good' };
    }
    const judgement = await inScope(this.#rules.scope, 'verify', () => this.#judge(generation));
    const { result, verdicts } = judgement;
    this.#tries.push({ tier: rung.tier, servedBy: generation.servedBy, verdicts });
    const answer = { rung, generation, result };
    if (result === 'good' || this.#keeps(judgement)) return answer;
    // Of two bad answers the later one is the stronger model's; one of use is better than one of none.
    if (this.#held === undefined || result === 'doubtful') this.#held = answer;
    this.#at++;
    return undefined;
  }

  /** The answer with its route. Settles the decision. */
  routed({ rung, generation, result }: HeldAnswer): RoutedGeneration<CascadeRoute> {
    const { attempts, costs, costUsd } = this.call.costs();
    const servedId = generation.usage.attemptId ?? generation.attempts.at(-1)?.attemptId;
    const route: CascadeRoute = {
      outcome: this.#outcome(rung, result),
      tier: rung.tier,
      tries: this.#tries,
      ...(this.#predictedGain !== undefined && { predictedGain: this.#predictedGain }),
      ...(this.#escalationError !== undefined && { escalationError: this.#escalationError.error }),
      decision: this.#decision.record,
      planned: this.#rungs.flatMap(({ models }) => models.map(({ id }) => id)),
      servedBy: generation.servedBy,
      failures: this.#failures,
      costs,
      costUsd,
    };
    const routed = {
      ...generation,
      failures: this.#failures,
      // The serving one is the last, also when a verifier asked somebody after it.
      attempts: attempts.toSorted(
        (a, b) => Number(a.attemptId === servedId) - Number(b.attemptId === servedId),
      ),
      route,
    };
    this.#decision.settle({ generation: routed, costUsd, attempts });
    return routed;
  }

  /** The call failed. Settles the decision. */
  ended(error: unknown): void {
    this.#decision.settle({ error, ...this.call.costs() });
  }

  /** Of a call that failed in several tiers, the caller is told all. */
  #ofAllTiers(error: unknown): unknown {
    if (!isSynapseError(error, 'all-providers-failed')) return error;
    if (this.#failures.length === error.errors.length) return error;
    const { retryAfterMs } = error;
    return new AllProvidersFailedError(
      `None of the tiers could serve: ${this.#failures.map(({ id, outcome }) => `${id} ${outcome}`).join('; ')}. See \`errors\` for each.`,
      { errors: this.#failures, ...(retryAfterMs !== undefined && { retryAfterMs }) },
    );
  }

  #judge(generation: Generation): Promise<Judgement> {
    const { signal, onAttempt: _, onAttemptStart: __, ...options } = this.#options;
    return judge(this.#rules.verify, {
      prompt: this.#prompt,
      options,
      generation,
      signal,
      ask: (llm, over = {}) => this.#ask(llm, over),
    });
  }

  async #ask(llm: LLM, over: CallOptions): Promise<Generation> {
    // Through the failover loop, so that an open circuit is no call.
    const options = { ...this.call.optionsFor('verify'), ...over };
    const generation = await failoverGenerate([llm], this.#prompt, options);
    this.call.note('verify', generation.attempts);
    return generation;
  }

  /** True when a doubtful answer is good enough, all considered. */
  #keeps({ result, gain }: Judgement): boolean {
    if (result !== 'doubtful') return false;
    if (this.#above()?.deferred === true) return true;
    return gain === undefined && this.#vetoes();
  }

  #vetoes(): boolean {
    const { minGain } = this.#rules;
    return minGain !== undefined && this.#predictedGain !== undefined && this.#predictedGain < minGain;
  }

  #next(): Rung | undefined {
    return this.#rungs[this.#at + 1];
  }

  /** The next tier, if it is a stronger one. */
  #above(): Rung | undefined {
    const next = this.#next();
    return next !== undefined && next.tier > this.rung.tier ? next : undefined;
  }

  #outcome(rung: Rung, result: Judgement['result']): CascadeOutcome {
    if (this.#escalationError !== undefined) return 'unreachable';
    if (this.#tries.length > 1)
      return this.#tries.at(-1)?.tier === rung.tier && result === 'doubtful' ? this.#kept() : 'escalated';
    if (result === 'doubtful') return this.#kept();
    return this.#above() === undefined ? 'direct' : 'accepted';
  }

  #kept(): CascadeOutcome {
    return this.#above()?.deferred === true ? 'deferred' : 'vetoed';
  }
}
