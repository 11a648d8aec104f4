import {
  type Attempt,
  type CallOptions,
  type Clock,
  ConfigError,
  callListener,
  type Generation,
  type IdSource,
  isSynapseError,
  type LLM,
  NoCandidateError,
  type Prompt,
  requireNumber,
  routeChannel,
  systemClock,
  systemIds,
  warnOfListener,
} from '@synapsekit/core';
import { capabilityGaps, needsOf } from './capability-gate.ts';
import { Draft, type RankCandidates, rankByValue } from './draft.ts';
import type { RouteDecision } from './route-decision.ts';
import type { RouteCandidate, RouteEnd, RoutePolicy } from './route-policy.ts';

/** What a desk is made with. */
export interface RouteDeskOptions {
  /** `LLM.id` of the router. */
  readonly router: string;
  readonly policies?: readonly RoutePolicy[] | undefined;
  /** Source of decision ids. @default systemIds */
  readonly ids?: IdSource | undefined;
  /** @default systemClock */
  readonly clock?: Clock | undefined;
}

/** What is to be decided. */
export interface RouteQuestion {
  readonly prompt: Prompt;
  readonly options: CallOptions;
  /** Best first as the router sees it. */
  readonly candidates: readonly RouteCandidate[];
  /** Price of money: quality that a dollar has to buy. @default no quality is predicted */
  readonly qualityPerUsd?: number | undefined;
  /** The router's own rule. @default by quality less the price of the cost, where both are known */
  readonly rank?: RankCandidates | undefined;
}

/** How a decided call has ended. */
export interface DecisionEnd {
  readonly generation?: Generation | undefined;
  readonly costUsd?: number | undefined;
  /** @default none */
  readonly attempts?: readonly Attempt[] | undefined;
  readonly error?: unknown;
}

/** A decision that is made. */
export interface Decision {
  /** The models to ask, in order. */
  readonly plan: readonly LLM[];
  /** The same with their figures. */
  readonly candidates: readonly RouteCandidate[];
  readonly record: RouteDecision;
  /** Tells policies and channel how it ended: the first time only. False when it was told before. */
  settle(end: DecisionEnd): boolean;
}

/** Where routers decide: capability gates, policies and records, the same for all of them. */
export class RouteDesk {
  readonly #router: string;
  readonly #policies: readonly RoutePolicy[];
  readonly #ids: IdSource;
  readonly #clock: Clock;

  /** @throws ConfigError for a policy that is none. */
  constructor({ router, policies = [], ids = systemIds, clock = systemClock }: RouteDeskOptions) {
    if (!Array.isArray(policies)) {
      throw new ConfigError('policies must be a list, e.g. [paceBudget({ budget })].', {
        option: 'policies',
      });
    }
    for (const policy of policies as readonly RoutePolicy[]) {
      if (typeof policy?.name !== 'string' || policy.name === '') {
        throw new ConfigError('Each policy must be an object with a name, e.g. paceBudget({ budget }).', {
          option: 'policies',
        });
      }
    }
    this.#router = router;
    this.#policies = [...policies];
    this.#ids = ids;
    this.#clock = clock;
  }

  /**
   * Chooses who is to be asked, in which order.
   *
   * @throws NoCandidateError with every reason when nobody can serve the request; ConfigError for a prompt that is none;
   *   what a policy throws, after those that had spoken were told that the call is over.
   */
  decide(question: RouteQuestion): Decision {
    const { prompt, options, candidates, qualityPerUsd, rank = rankByValue } = question;
    const draft = new Draft({
      id: this.#ids(),
      router: this.#router,
      atMs: this.#clock.now(),
      prompt,
      options,
      candidates,
      qualityPerUsd,
      rank,
    });
    this.#gate(draft, candidates);
    const plan = this.#hear(draft);
    const record = draft.record(plan);
    const rest = draft.candidates.filter((candidate) => !plan.includes(candidate));
    routeChannel.publish(() => ({
      version: 1,
      type: 'decision',
      router: this.#router,
      decisionId: record.id,
      planned: record.planned,
      candidates: record.candidates,
    }));
    let settled = false;
    return {
      plan: plan.map(({ llm }) => llm),
      candidates: plan,
      record,
      settle: (end) => {
        if (settled) return false;
        settled = true;
        this.#settle(record, { prompt, options, plan, candidates: [...plan, ...rest] }, end);
        return true;
      },
    };
  }

  /**
   * Makes sure that somebody can serve a request, before anything is spent on deciding.
   *
   * @throws NoCandidateError, ConfigError like `decide`.
   */
  requireServable(prompt: Prompt, options: CallOptions, models: readonly LLM[]): void {
    const needs = needsOf(prompt, options);
    const refusals = models.map(({ id, capabilities }) =>
      capabilityGaps(needs, capabilities).map((reason) => ({ id, policy: gatePolicy, reason })),
    );
    if (refusals.every((gaps) => gaps.length > 0)) throw noCandidate(this.#router, refusals.flat());
  }

  /**
   * Hands a score to the policies that collect them.
   *
   * @returns false when nobody knows the decision (any more).
   * @throws ConfigError for a score outside 0 to 1, or when no policy collects scores.
   */
  feedback(decisionId: string, score: number): boolean {
    requireNumber(score, 'score', { min: 0, max: 1 });
    const takers = this.#policies.filter(({ feedback }) => feedback !== undefined);
    if (takers.length === 0) {
      throw new ConfigError(
        'Nobody collects feedback: add logOutcomes({ to: new OutcomeFile(path) }) to `policies` of the router.',
        { option: 'policies' },
      );
    }
    return takers.map((policy) => policy.feedback?.(decisionId, score) === true).includes(true);
  }

  #gate(draft: Draft, candidates: readonly RouteCandidate[]): void {
    draft.policy = gatePolicy;
    const needs = needsOf(draft.prompt, draft.options);
    for (const candidate of candidates) {
      for (const gap of capabilityGaps(needs, candidate.llm.capabilities)) draft.exclude(candidate, gap);
    }
    if (draft.candidates.length === 0) throw noCandidate(this.#router, draft.refusals());
  }

  /** The plan, when all policies have spoken. */
  #hear(draft: Draft): readonly RouteCandidate[] {
    let spoken = 0;
    try {
      for (const policy of this.#policies) {
        draft.policy = policy.name;
        policy.apply?.(draft);
        spoken++;
      }
      const plan = draft.plan();
      if (plan.length === 0) throw noCandidate(this.#router, draft.refusals());
      return plan;
    } catch (error) {
      const { prompt, options, candidates } = draft;
      const end = { decision: draft.record([]), prompt, options, plan: [], candidates, attempts: [], error };
      this.#tell(this.#policies.slice(0, spoken), end);
      throw error;
    }
  }

  #settle(
    decision: RouteDecision,
    call: Pick<RouteEnd, 'prompt' | 'options' | 'plan' | 'candidates'>,
    { generation, costUsd, attempts = [], error }: DecisionEnd,
  ): void {
    const end: RouteEnd = {
      decision,
      ...call,
      attempts,
      ...(generation !== undefined && { generation }),
      ...(costUsd !== undefined && { costUsd }),
      ...(error !== undefined && { error }),
    };
    this.#tell(this.#policies, end);
    routeChannel.publish(() => ({
      version: 1,
      type: 'end',
      router: this.#router,
      decisionId: decision.id,
      planned: decision.planned,
      ...(generation !== undefined && { servedBy: generation.servedBy }),
      ...(costUsd !== undefined && { costUsd }),
      ...(error !== undefined && { errorCode: isSynapseError(error) ? error.code : 'error' }),
    }));
  }

  #tell(policies: readonly RoutePolicy[], end: RouteEnd): void {
    for (const policy of policies) {
      if (policy.settle === undefined) continue;
      callListener(
        (told: RouteEnd) => policy.settle?.(told),
        end,
        (failure) => warnOfListener(`The route policy "${policy.name}"`, failure),
      );
    }
  }
}

const gatePolicy = 'capabilities';

function noCandidate(router: string, refusals: NoCandidateError['refusals']): NoCandidateError {
  const told = refusals.map(({ id, reason }) => `${id}: ${reason}`).join('; ');
  return new NoCandidateError(
    refusals.length === 0
      ? `The router "${router}" has no model for this request.`
      : `No model of the router "${router}" can serve this request. ${told}. Add one that can, or change the request.`,
    { refusals },
  );
}
