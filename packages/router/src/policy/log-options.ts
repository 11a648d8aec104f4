import {
  type CallOptions,
  type Clock,
  ConfigError,
  type Generation,
  type LLM,
  type PriceLookup,
  type Prompt,
  type Random,
  rejectUnknownKeys,
  requireNumber,
  systemClock,
  systemRandom,
  warnOfListener,
} from '@synapsekit/core';
import type { OutcomeRow } from '../outcomes/outcome.ts';

/** Where outcomes go: an `OutcomeFile` of `@synapsekit/router/outcomes`, a table of yours. */
export interface OutcomeSink {
  append(row: OutcomeRow): Promise<void>;
}

/** Scores an answer from 0 (wrong) to 1 (right); `undefined` when it cannot be told. */
export type ScoreAnswer = (
  generation: Generation,
  context: { readonly prompt: Prompt; readonly options: CallOptions; readonly signal: AbortSignal },
) => number | undefined | Promise<number | undefined>;

/** How a share of the traffic is also answered by another model. */
export interface ShadowOptions {
  /** The share of calls, 0 to 1. Each costs another model's call. 0.1 teaches as much as feedback on every call. */
  readonly share: number;
  /** Scores both answers. A judge of yours may take its time: nobody waits for it. */
  readonly score: ScoreAnswer;
  /** Who answers beside the one that served. @default one of the other candidates, by chance */
  readonly models?: readonly LLM[] | undefined;
  /** Time limit of a shadow call and its scores, in milliseconds. @default 60000 */
  readonly timeoutMs?: number | undefined;
  /** How many shadow calls run at once. @default 2 */
  readonly maxConcurrent?: number | undefined;
  /** How many wait; what is more is left out. @default 100 */
  readonly maxQueued?: number | undefined;
}

/** Options of `logOutcomes`. */
export interface LogOutcomesOptions {
  /** Where rows go, with their prompts and answers: `new OutcomeFile('outcomes.jsonl')`. */
  readonly to: OutcomeSink;
  /** @default no shadow calls: rows come from `router.feedback` alone */
  readonly shadow?: ShadowOptions | undefined;
  /** Write the answers, too: verifiers learn from them. @default true */
  readonly responses?: boolean | undefined;
  /** The kind of a query, for reports and held-out groups. @default `attributes.feature` */
  readonly group?: ((prompt: Prompt, options: CallOptions) => string | undefined) | undefined;
  /** Names of the models in the rows, by `LLM.id`. @default the id */
  readonly names?: Readonly<Record<string, string>> | undefined;
  /** What shadow calls cost: `tracker.prices`. @default rows without costs of shadow calls */
  readonly prices?: PriceLookup | undefined;
  /** How many answers wait for feedback; the oldest are forgotten first. @default 1000 */
  readonly maxPending?: number | undefined;
  /** Is told of what went wrong beside the calls. @default a warning of the process, without any text */
  readonly onError?: ((error: unknown) => void) | undefined;
  /** Decides which calls are shadowed. @default systemRandom */
  readonly random?: Random | undefined;
  /** @default systemClock */
  readonly clock?: Clock | undefined;
}

const known = [
  'to',
  'shadow',
  'responses',
  'group',
  'names',
  'prices',
  'maxPending',
  'onError',
  'random',
  'clock',
];
const shadowKnown = ['share', 'score', 'models', 'timeoutMs', 'maxConcurrent', 'maxQueued'];

type Given<T> = { readonly [K in keyof T]-?: Exclude<T[K], undefined> };

/** Options with their defaults. */
export interface CheckedLogOptions
  extends Given<Omit<LogOutcomesOptions, 'shadow' | 'names' | 'prices'>>,
    Pick<LogOutcomesOptions, 'names' | 'prices'> {
  readonly shadow: CheckedShadow | undefined;
}

/** Shadow options with their defaults. */
export type CheckedShadow = Given<Omit<ShadowOptions, 'models'>> & Pick<ShadowOptions, 'models'>;

function feature(_: Prompt, { attributes }: CallOptions): string | undefined {
  const named = attributes?.feature;
  return named === undefined ? undefined : String(named);
}

/** @throws ConfigError naming the option at fault. */
export function checkLogOptions(options: LogOutcomesOptions): CheckedLogOptions {
  rejectUnknownKeys(options, known, 'logOutcomes');
  const { to, responses = true, names, prices, maxPending = 1_000, shadow } = options;
  const { group = feature, random = systemRandom, clock = systemClock } = options;
  const { onError = (error: unknown) => warnOfListener('logOutcomes()', error) } = options;
  if (typeof to?.append !== 'function') {
    throw new ConfigError(
      "logOutcomes needs a place to write to, e.g. { to: new OutcomeFile('outcomes.jsonl') }.",
      {
        option: 'to',
      },
    );
  }
  if (typeof responses !== 'boolean') {
    throw new ConfigError('responses must be true or false.', { option: 'responses' });
  }
  requireNumber(maxPending, 'maxPending', { integer: true, min: 1 });
  return {
    to,
    responses,
    names,
    prices,
    maxPending,
    random,
    clock,
    group,
    onError,
    shadow: checkShadow(shadow),
  };
}

function checkShadow(shadow: ShadowOptions | undefined): CheckedShadow | undefined {
  if (shadow === undefined) return undefined;
  rejectUnknownKeys(shadow, shadowKnown, 'shadow');
  const { share, score, models, timeoutMs = 60_000, maxConcurrent = 2, maxQueued = 100 } = shadow;
  requireNumber(share, 'shadow.share', { min: 0, max: 1 });
  if (typeof score !== 'function') {
    throw new ConfigError('shadow.score must be a function that scores an answer from 0 to 1.', {
      option: 'shadow.score',
    });
  }
  requireNumber(timeoutMs, 'shadow.timeoutMs', { above: 0 });
  requireNumber(maxConcurrent, 'shadow.maxConcurrent', { integer: true, min: 1 });
  requireNumber(maxQueued, 'shadow.maxQueued', { integer: true, min: 0 });
  if (models !== undefined && (!Array.isArray(models) || models.length === 0)) {
    throw new ConfigError('shadow.models must be a list of models.', { option: 'shadow.models' });
  }
  return { share, score, models, timeoutMs, maxConcurrent, maxQueued };
}
