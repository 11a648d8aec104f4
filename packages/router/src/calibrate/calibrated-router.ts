import {
  type CallOptions,
  ConfigError,
  callListener,
  type LLM,
  type Prompt,
  rejectUnknownKeys,
  warnOfListener,
} from '@synapsekit/core';
import {
  type Choice,
  DecidingRouter,
  type DecidingRouterOptions,
  decidingRouterKeys,
} from '../deciding-router.ts';
import { GainModel } from '../learned/gain-model.ts';
import { expectedCostUsd } from '../policy/expected-cost.ts';
import type { Decision } from '../policy/route-desk.ts';
import type { RouteCandidate } from '../policy/route-policy.ts';
import type { RouteBase } from '../routed.ts';
import type { CalibrationJson } from './calibration.ts';
import { calibrationOf, checkPair } from './check-calibration.ts';
import { type DriftStatus, DriftWatch, type DriftWatchOptions, type RouteDrift } from './drift-watch.ts';

/** Options of a `CalibratedRouter`. */
export interface CalibratedRouterOptions extends DecidingRouterOptions {
  /** A calibrated model, or the JSON that `synapsekit route calibrate` wrote. */
  readonly model: unknown;
  /** The cheap model: the one that the trained model calls weak. */
  readonly weak: LLM;
  /** The strong model. */
  readonly strong: LLM;
  /** How drift is judged. */
  readonly drift?: DriftWatchOptions | undefined;
  /** Told when traffic begins to differ from what the router was calibrated on. @default nobody: read `drift()` */
  readonly onDrift?: ((drift: RouteDrift) => void) | undefined;
}

/** How a call was routed by a promise. */
export interface CalibratedRoute extends RouteBase {
  /** How much better the strong model's answer was expected to be. */
  readonly gain: number;
  /** From this gain on the strong model is asked. */
  readonly threshold: number;
}

const known = ['model', 'weak', 'strong', 'drift', 'onDrift', ...decidingRouterKeys];

/**
 * Keeps the promise that `synapsekit route calibrate` made: the strong model from the calibrated threshold on, the weak
 * one below. Promises hold for traffic like the rows they were calibrated on, and thresholds do not travel: so it counts
 * its share of strong calls and what calls cost, and reports when they are not what they were. Policies that turn
 * choices, and models that are down, count as well.
 *
 * @throws ConfigError for a model that is not calibrated, or whose calibration was made for another one; for a weak and a
 *   strong model that are the same or, as far as names and prices tell, swapped; for options that are unknown or out of
 *   range. Calls throw what calls of a `LearnedRouter` do.
 */
export class CalibratedRouter extends DecidingRouter<CalibratedRoute> {
  /** The trained model. */
  readonly trained: GainModel;
  /** What is promised, and how. */
  readonly calibration: CalibrationJson;
  readonly #weak: LLM;
  readonly #strong: LLM;
  readonly #watch: DriftWatch;

  constructor(options: CalibratedRouterOptions) {
    rejectUnknownKeys(options, known, 'CalibratedRouter');
    const { model, weak, strong, drift = {}, onDrift, policies = [], id = 'calibrated' } = options;
    const trained = model instanceof GainModel ? model : new GainModel(model);
    const calibration = calibrationOf(trained.json);
    for (const [name, llm] of Object.entries({ weak, strong })) {
      if (typeof llm?.generate === 'function') continue;
      throw new ConfigError(`CalibratedRouter needs two models: { weak, strong }.`, { option: name });
    }
    checkPair({ weak, strong }, trained.json, options.prices);
    rejectUnknownKeys(drift, ['window', 'falseAlarmRate'], 'drift');
    super([weak, strong], id, options, policies);
    this.trained = trained;
    this.calibration = calibration;
    this.#weak = weak;
    this.#strong = strong;
    this.#watch = new DriftWatch(calibration, drift, (report) => {
      if (onDrift === undefined) return;
      callListener(onDrift, report, (failure) => warnOfListener('The listener onDrift', failure));
    });
  }

  /** What live traffic does, beside what the calibration had. */
  drift(): DriftStatus {
    return this.#watch.status();
  }

  protected choose(prompt: Prompt, options: CallOptions): Choice<CalibratedRoute> {
    const gain = this.trained.gain(prompt);
    const { threshold } = this.calibration.point;
    const candidate = (llm: LLM, tier: number, name: string): RouteCandidate => {
      const mean = this.trained.json.models.find((model) => model.name === name)?.costUsd;
      const costUsd = mean ?? expectedCostUsd(llm, prompt, options, this.prices);
      return { llm, tier, ...(costUsd !== undefined && { costUsd }) };
    };
    const weak = candidate(this.#weak, 0, this.trained.weak);
    const strong = candidate(this.#strong, 1, this.trained.strong);
    return {
      question: { candidates: gain >= threshold ? [strong, weak] : [weak, strong] },
      told: { gain, threshold },
    };
  }

  protected override decided({ plan }: Decision): void {
    this.#watch.decided(plan[0] === this.#strong);
  }

  protected override ended(_: Decision, costUsd: number | undefined): void {
    if (costUsd !== undefined) this.#watch.cost(costUsd);
  }
}
