import { ConfigError, rejectUnknownKeys } from '@synapsekit/core';
import { checkApplyTo } from './metric.ts';

/** What every metric of this package takes. */
export interface MetricOptions<Name extends string = string> {
  /** Names of the cases that it judges. @default all cases of the suite */
  readonly applyTo?: readonly Name[] | undefined;
}

/**
 * The checked `applyTo` of a metric.
 *
 * @throws ConfigError for an unknown option or an empty `applyTo`.
 */
export function readMetricOptions<Name extends string>(
  metric: string,
  options: MetricOptions<Name>,
  known: readonly string[],
): readonly Name[] | undefined {
  rejectUnknownKeys(options, [...known, 'applyTo'], `${metric}Options`);
  return checkApplyTo(options.applyTo, metric);
}

/** @throws ConfigError unless `value` is a text that is not empty. */
export function requireText(value: unknown, option: string, metric: string): string {
  if (typeof value === 'string' && value.trim() !== '') return value;
  throw new ConfigError(`${option} of ${metric} must be a text that is not empty.`, { option });
}

/** @throws ConfigError unless `value` is one of `choices`. */
export function oneOf<const Choice extends string>(
  value: Choice,
  choices: readonly Choice[],
  option: string,
  metric: string,
): Choice {
  if (choices.includes(value)) return value;
  throw new ConfigError(`${option} of ${metric} must be one of ${choices.map((c) => `"${c}"`).join(', ')}.`, {
    option,
  });
}
