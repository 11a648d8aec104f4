import {
  type CallOptions,
  ConfigError,
  type LLM,
  type Prompt,
  rejectUnknownKeys,
  requireNumber,
} from '@synapsekit/core';
import {
  type Choice,
  DecidingRouter,
  type DecidingRouterOptions,
  decidingRouterKeys,
} from '../deciding-router.ts';
import type { RankCandidates } from '../policy/draft.ts';
import { expectedCostUsd } from '../policy/expected-cost.ts';
import type { RouteCandidate, RoutePolicy } from '../policy/route-policy.ts';
import type { RouteBase } from '../routed.ts';
import { GainModel } from './gain-model.ts';

/** What a `LearnedRouter` goes by. At least one of them is needed: without any, the best model would always win. */
export interface LearnedRouterGoals {
  /**
   * Price of money: how much predicted quality (0 to 1) a dollar has to buy. The model with the largest quality less
   * qualityPerUsd * cost is asked. 20 says: a tenth of a percent more good answers is worth $0.00005 a call.
   */
  readonly qualityPerUsd?: number | undefined;
  /** The cheapest model that is predicted to reach this quality (0 to 1); where none does, the best one. */
  readonly minQuality?: number | undefined;
  /** Nobody whose call is expected to cost more, in dollars. */
  readonly maxCostUsd?: number | undefined;
  /** Nobody who takes longer on average, in milliseconds, as the outcomes had it. */
  readonly maxLatencyMs?: number | undefined;
}

/** Options of a `LearnedRouter`. */
export interface LearnedRouterOptions extends LearnedRouterGoals, DecidingRouterOptions {
  /** A trained model, or the JSON that `synapsekit route train` wrote. */
  readonly model: unknown;
  /** The models to ask, by their names in the trained model. Names left out are not asked; two are needed. */
  readonly llms: Readonly<Record<string, LLM>>;
  /** Score so that a prefix cannot lift a query far (`GainModel.hardenedGain`). @default false */
  readonly hardened?: boolean | undefined;
}

/** How a call was routed by what was learnt. */
export interface LearnedRoute extends RouteBase {
  /** Predicted quality, 0 to 1, by the names of the trained model. */
  readonly predicted: Readonly<Record<string, number>>;
}

const goals = ['qualityPerUsd', 'minQuality', 'maxCostUsd', 'maxLatencyMs'] as const;
const known = ['model', 'llms', 'hardened', ...goals, ...decidingRouterKeys];

interface PoolMember {
  readonly name: string;
  readonly llm: LLM;
  readonly costUsd: number | undefined;
  readonly latencyMs: number | undefined;
}

/**
 * Asks the model that is worth it: predicts from the query, in microseconds and without a call, how good each model's
 * answer will be, and decides under a price of money or under constraints. Trained on outcomes of your own
 * (`synapsekit route train`), it is good for traffic like those and worth nothing elsewhere: measure it first
 * (`synapsekit route eval`). A router is an `LLM`: wrap it, chain it, nest it.
 *
 * @throws ConfigError for a model that is none, names it does not have, goals that are missing, out of range, or that
 *   nobody in the pool can meet. Calls throw NoCandidateError, with every reason, when nobody can serve the request.
 */
export class LearnedRouter extends DecidingRouter<LearnedRoute> {
  /** The trained model. */
  readonly trained: GainModel;
  readonly #pool: readonly PoolMember[];
  readonly #goals: LearnedRouterGoals;
  readonly #hardened: boolean;

  constructor(options: LearnedRouterOptions) {
    rejectUnknownKeys(options, known, 'LearnedRouter');
    const { model, llms, hardened = false, policies = [], id = 'learned' } = options;
    const trained = model instanceof GainModel ? model : new GainModel(model);
    const pool = poolOf(trained, llms);
    checkGoals(options, pool);
    if (typeof hardened !== 'boolean') {
      throw new ConfigError('hardened must be true or false.', { option: 'hardened' });
    }
    super(
      pool.map(({ llm }) => llm),
      id,
      options,
      // What is no list is refused there.
      Array.isArray(policies) ? [ceilings(options, pool), ...policies] : policies,
    );
    this.trained = trained;
    this.#pool = pool;
    this.#goals = options;
    this.#hardened = hardened;
  }

  protected choose(prompt: Prompt, options: CallOptions): Choice<LearnedRoute> {
    const predicted = this.trained.predict(prompt, { hardened: this.#hardened });
    const candidates = this.#pool.map(({ name, llm, costUsd }): RouteCandidate => {
      // What calls did cost is better known than what an answer of some length would.
      const cost = costUsd ?? expectedCostUsd(llm, prompt, options, this.prices);
      return { llm, quality: predicted[name] ?? 0, ...(cost !== undefined && { costUsd: cost }) };
    });
    const { qualityPerUsd = 0, minQuality } = this.#goals;
    return { question: { candidates, qualityPerUsd, rank: rankBy(minQuality) }, told: { predicted } };
  }
}

/** Those that reach the floor first, the cheapest or the best buy of them; then the others, the best first. */
function rankBy(minQuality: number | undefined): RankCandidates {
  return (candidates, qualityPerUsd) => {
    const value = ({ quality = 0, costUsd = Number.POSITIVE_INFINITY }: RouteCandidate): number =>
      qualityPerUsd > 0 ? quality - qualityPerUsd * costUsd : quality;
    const byValue = (list: readonly RouteCandidate[]): RouteCandidate[] =>
      list.toSorted((a, b) => (value(b) === value(a) ? 0 : value(b) - value(a)));
    if (minQuality === undefined) return byValue(candidates);
    const reaches = ({ quality = 0 }: RouteCandidate): boolean => quality >= minQuality;
    const enough = candidates.filter(reaches);
    const byCost = (list: readonly RouteCandidate[]): RouteCandidate[] =>
      list.toSorted((a, b) => (a.costUsd ?? 0) - (b.costUsd ?? 0));
    return [
      ...(qualityPerUsd > 0 ? byValue(enough) : byCost(enough)),
      ...byValue(candidates.filter((candidate) => !reaches(candidate))),
    ];
  };
}

/** Cost and latency ceilings, as the first rule of all. */
function ceilings(
  { maxCostUsd, maxLatencyMs }: LearnedRouterGoals,
  pool: readonly PoolMember[],
): RoutePolicy {
  const latencies = new Map(pool.map(({ llm, latencyMs }) => [llm, latencyMs]));
  return {
    name: 'ceilings',
    apply(draft) {
      for (const candidate of draft.candidates) {
        const { llm, costUsd } = candidate;
        if (maxCostUsd !== undefined && !((costUsd ?? Number.NaN) <= maxCostUsd)) {
          const cost =
            costUsd === undefined ? 'its cost is not known' : `it is expected to cost $${shown(costUsd)}`;
          draft.exclude(candidate, `${cost}, maxCostUsd is $${shown(maxCostUsd)}`);
        }
        const latencyMs = latencies.get(llm);
        if (maxLatencyMs !== undefined && !((latencyMs ?? Number.NaN) <= maxLatencyMs)) {
          const time =
            latencyMs === undefined ? 'its latency is not known' : `it takes ${Math.round(latencyMs)} ms`;
          draft.exclude(candidate, `${time}, maxLatencyMs is ${maxLatencyMs}`);
        }
      }
    },
  };
}

function poolOf(trained: GainModel, llms: Readonly<Record<string, LLM>>): PoolMember[] {
  rejectUnknownKeys(llms, trained.models, 'llms');
  const pool = trained.json.models.flatMap(({ name, costUsd, latencyMs }) => {
    const llm = llms[name];
    if (llm === undefined) return [];
    if (typeof llm.generate !== 'function')
      throw new ConfigError(`llms["${name}"] must be a model.`, { option: 'llms' });
    return [{ name, llm, costUsd, latencyMs }];
  });
  if (pool.length >= 2) return pool;
  throw new ConfigError(
    `LearnedRouter needs two models or more in llms, by their names in the trained model: ${trained.models.join(', ')}.`,
    { option: 'llms' },
  );
}

function checkGoals(options: LearnedRouterOptions, pool: readonly PoolMember[]): void {
  const { qualityPerUsd, minQuality, maxCostUsd, maxLatencyMs, prices } = options;
  if (goals.every((goal) => options[goal] === undefined)) {
    throw new ConfigError(
      `LearnedRouter needs something to go by: ${goals.join(', ')}. Without any of them the best model would always win.`,
      { option: 'qualityPerUsd' },
    );
  }
  if (qualityPerUsd !== undefined) requireNumber(qualityPerUsd, 'qualityPerUsd', { min: 0 });
  if (minQuality !== undefined) requireNumber(minQuality, 'minQuality', { min: 0, max: 1 });
  if (maxCostUsd !== undefined) requireNumber(maxCostUsd, 'maxCostUsd', { above: 0 });
  if (maxLatencyMs !== undefined) requireNumber(maxLatencyMs, 'maxLatencyMs', { above: 0 });

  const costs = pool.map(({ costUsd }) => costUsd);
  const needsCosts = (qualityPerUsd ?? 0) > 0 || minQuality !== undefined || maxCostUsd !== undefined;
  if (needsCosts && prices === undefined && costs.includes(undefined)) {
    throw new ConfigError(
      'What calls cost is not known: the outcomes that the model was trained on held no costUsd. Give prices ' +
        '(tracker.prices), or train with costs ("route train --cost MODEL=USD,…").',
      { option: 'prices' },
    );
  }
  const cheapest = Math.min(...costs.map((cost) => cost ?? 0));
  if (maxCostUsd !== undefined && prices === undefined && cheapest > maxCostUsd) {
    throw new ConfigError(
      `maxCostUsd ($${shown(maxCostUsd)}) is below what the cheapest model costs on average ($${shown(cheapest)}): nobody could serve.`,
      { option: 'maxCostUsd' },
    );
  }
  if (maxLatencyMs === undefined) return;
  const latencies = pool.flatMap(({ latencyMs }) => (latencyMs === undefined ? [] : [latencyMs]));
  if (latencies.length > 0 && Math.min(...latencies) <= maxLatencyMs) return;
  throw new ConfigError(
    latencies.length === 0
      ? 'How long calls take is not known: the outcomes that the model was trained on held no latencyMs.'
      : `maxLatencyMs (${maxLatencyMs}) is below what the fastest model takes on average (${Math.round(Math.min(...latencies))} ms): nobody could serve.`,
    { option: 'maxLatencyMs' },
  );
}

function shown(usd: number): string {
  return String(Number(usd.toPrecision(4)));
}
