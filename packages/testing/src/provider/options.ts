import { type Clock, ConfigError, type Random, rejectUnknownKeys, requireNumber } from '@synapsekit/core';
import type { SimulatedModel } from './model.ts';
import type { AnswerFunction, ScriptedAnswer } from './scripted-answer.ts';
import type { SimulatedRequest } from './simulated-request.ts';

/** A time in milliseconds, fixed or chosen per request. */
export type Delay = number | ((request: SimulatedRequest) => number);

/** How a `SimulatedProvider` is started. */
export interface SimulatedProviderOptions {
  /** TCP port on 127.0.0.1. @default 0: any free one */
  readonly port?: number | undefined;
  /**
   * What to answer: a list, used up one by one, or a function. Where they have no answer, the built-in rules do.
   * @default the built-in rules alone
   */
  readonly answers?: AnswerFunction | readonly (string | ScriptedAnswer)[] | undefined;
  /** More models, or other prices for the ones of `defaultModels`. */
  readonly models?: readonly SimulatedModel[] | undefined;
  /** Time until the first byte of an answer. @default 0 */
  readonly latencyMs?: Delay | undefined;
  /** Time before each content delta of a stream. @default 0 */
  readonly chunkDelayMs?: Delay | undefined;
  /** Keys that are accepted. @default any that is not blank */
  readonly apiKeys?: readonly string[] | undefined;
  /** Report and bill repeated beginnings of prompts (from 1,024 tokens) as cached. @default false */
  readonly promptCache?: boolean | undefined;
  /** How many requests and bill entries are kept; totals count all. @default 10_000 */
  readonly maxRecords?: number | undefined;
  /** Time for delays, dates and outages. @default the system's */
  readonly clock?: Clock | undefined;
  /** Decides faults with a `chance`. @default seededRandom(1) */
  readonly random?: Random | undefined;
  /** Called with every request once it is over. */
  readonly onRequest?: ((request: SimulatedRequest) => void) | undefined;
}

const optionKeys = [
  'port',
  'answers',
  'models',
  'latencyMs',
  'chunkDelayMs',
  'apiKeys',
  'promptCache',
  'maxRecords',
  'clock',
  'random',
  'onRequest',
];

/** @throws ConfigError for an unknown option or a value that makes no sense. */
export function checkOptions(options: SimulatedProviderOptions): void {
  rejectUnknownKeys(options, optionKeys, 'SimulatedProviderOptions');
  const { port, answers, latencyMs, chunkDelayMs, apiKeys, maxRecords } = options;
  if (port !== undefined) requireNumber(port, 'port', { integer: true, min: 0, max: 65_535 });
  if (typeof latencyMs === 'number') requireNumber(latencyMs, 'latencyMs', { min: 0 });
  if (typeof chunkDelayMs === 'number') requireNumber(chunkDelayMs, 'chunkDelayMs', { min: 0 });
  if (maxRecords !== undefined) requireNumber(maxRecords, 'maxRecords', { integer: true, min: 1 });
  if (answers !== undefined && typeof answers !== 'function' && !Array.isArray(answers)) {
    throw new ConfigError('answers must be a list of answers or a function.', { option: 'answers' });
  }
  if (apiKeys !== undefined && (!Array.isArray(apiKeys) || apiKeys.length === 0)) {
    throw new ConfigError('apiKeys must be a list of keys; leave it out to accept any.', {
      option: 'apiKeys',
    });
  }
}

/** The delay for one request, in milliseconds. */
export function delayFor(delay: Delay = 0): (request: SimulatedRequest) => number {
  return typeof delay === 'number'
    ? () => delay
    : (request) => requireNumber(delay(request), 'delay', { min: 0 });
}
