import {
  type Clock,
  ConfigError,
  type FailoverHooks,
  type IdSource,
  type LLM,
  type PriceLookup,
  type Prompt,
  rejectUnknownKeys,
  requireNumber,
} from '@synapsekit/core';
import type { RoutePolicy } from '../policy/route-policy.ts';
import type { RouteScope } from '../route-scope.ts';
import type { Verifier } from '../verify/verifier.ts';

/** Foresees what the strong model gains over the weak one, from the prompt alone. A trained router model is one. */
export interface GainEstimator {
  /** Chance that the strong model is right, less that of the weak one: -1 to 1. */
  gain(prompt: Prompt): number;
}

/** What a gain model may decide in a cascade. */
export interface CascadeGain {
  readonly model: GainEstimator;
  /** A doubtful answer is handed out all the same when less than this is to be gained. @default 0.02 */
  readonly minGain?: number | undefined;
  /** From this gain on the cheap model is not asked at all. @default never */
  readonly directFrom?: number | undefined;
}

/** Options of a `CascadeRouter`. */
export interface CascadeRouterOptions extends FailoverHooks {
  /** The models from the cheapest to the strongest, two tiers or more: each a model, or several in the order in which they are asked. */
  readonly tiers: readonly (LLM | readonly LLM[])[];
  /** Who looks at the answers of all tiers but the last, the cheapest look first. */
  readonly verify: readonly Verifier[];
  /** A gain model that vetoes pointless escalations. @default none */
  readonly gain?: CascadeGain | undefined;
  /**
   * What is done with a doubtful answer when the stronger models are down or refused by a budget: hand it out, or throw.
   * A broken answer is never handed out. @default "answer"
   */
  readonly whenUnreachable?: 'answer' | 'throw' | undefined;
  /** Put around each step, as in `Router`: `"answer"`, `"verify"`, `"escalate"`. @default nothing */
  readonly scope?: RouteScope | undefined;
  /** Price list for `route.costs` and for policies: `tracker.prices`. @default none */
  readonly prices?: PriceLookup | undefined;
  /** Rules round the choice: budgets, conversations, caps, shadow samples. @default none */
  readonly policies?: readonly RoutePolicy[] | undefined;
  /** Name of this router as a model. @default "cascade" */
  readonly id?: string | undefined;
  /** Source of decision ids. @default systemIds */
  readonly ids?: IdSource | undefined;
  /** Clock of the decisions' time stamps. @default systemClock */
  readonly clock?: Clock | undefined;
}

const known = [
  'tiers',
  'verify',
  'gain',
  'whenUnreachable',
  'scope',
  'prices',
  'policies',
  'id',
  'ids',
  'clock',
  'onFailure',
];

/** @throws ConfigError naming the option at fault. */
export function checkCascadeOptions(options: CascadeRouterOptions): {
  readonly tiers: readonly (readonly LLM[])[];
  readonly verify: readonly Verifier[];
  readonly gain: Required<CascadeGain> | undefined;
} {
  rejectUnknownKeys(options, known, 'CascadeRouter');
  const { tiers, verify, gain, whenUnreachable = 'answer' } = options;
  if (!Array.isArray(tiers) || tiers.length < 2) {
    throw new ConfigError('tiers must be two or more, from the cheapest to the strongest: [cheap, strong].', {
      option: 'tiers',
    });
  }
  const lists = tiers.map((tier: LLM | readonly LLM[], index) => {
    const models = (Array.isArray(tier) ? [...tier] : [tier]) as readonly LLM[];
    if (models.length === 0 || models.some((llm) => typeof llm?.generate !== 'function')) {
      throw new ConfigError(`tiers[${index}] must be a model or a list of models.`, { option: 'tiers' });
    }
    return models;
  });
  if (!Array.isArray(verify) || verify.length === 0) {
    throw new ConfigError(
      'verify must have at least one verifier, e.g. [finished(), notRefused()]: without one every answer would pass.',
      { option: 'verify' },
    );
  }
  for (const verifier of verify as readonly Verifier[]) {
    if (typeof verifier?.verify !== 'function' || typeof verifier.name !== 'string') {
      throw new ConfigError(
        'Each verifier must be { name, verify }. For a function of yours: passes(test).',
        {
          option: 'verify',
        },
      );
    }
  }
  if (whenUnreachable !== 'answer' && whenUnreachable !== 'throw') {
    throw new ConfigError('whenUnreachable must be "answer" or "throw".', { option: 'whenUnreachable' });
  }
  return { tiers: lists, verify: [...verify], gain: gain === undefined ? undefined : checkGain(gain) };
}

function checkGain(gain: CascadeGain): Required<CascadeGain> {
  rejectUnknownKeys(gain, ['model', 'minGain', 'directFrom'], 'gain');
  const { model, minGain = 0.02, directFrom } = gain;
  if (typeof model?.gain !== 'function') {
    throw new ConfigError('gain.model must be a trained model: { gain(prompt) }.', { option: 'gain' });
  }
  requireNumber(minGain, 'gain.minGain', { min: -1, max: 1 });
  if (directFrom !== undefined) requireNumber(directFrom, 'gain.directFrom', { min: -1, max: 1 });
  if (directFrom !== undefined && directFrom < minGain) {
    throw new ConfigError(
      `gain.directFrom (${directFrom}) must not be below gain.minGain (${minGain}): what is not worth an escalation is not worth going there directly.`,
      { option: 'gain' },
    );
  }
  return { model, minGain, directFrom };
}
