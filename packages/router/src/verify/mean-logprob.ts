import { rejectUnknownKeys, requireNumber } from '@synapsekit/core';
import type { Verifier } from './verifier.ts';

/** Options of `meanLogprob`. */
export interface MeanLogprobOptions {
  /**
   * The least mean log-probability of the answer's tokens (natural logarithm, so below 0). Every model has its own:
   * look at what good and bad answers of yours have. -0.25 is a mean probability of 78 % a token.
   */
  readonly min: number;
}

/**
 * The model was sure of its own words: their mean log-probability is high enough. Free where the provider returns
 * log-probabilities; where it does not, this cannot tell.
 *
 * @throws ConfigError for a `min` that is not below 0.
 */
export function meanLogprob(options: MeanLogprobOptions): Verifier {
  rejectUnknownKeys(options, ['min'], 'meanLogprob');
  const min = requireNumber(options.min, 'min', { max: 0 });
  return {
    name: 'mean-logprob',
    failure: 'doubtful',
    needsLogprobs: true,
    verify({ generation: { logprobs = [] } }) {
      if (logprobs.length === 0)
        return { pass: undefined, reason: 'the provider returned no log-probabilities' };
      // Providers write -9999, or -Infinity, for "next to nothing": one such token is not to decide alone.
      const sum = logprobs.reduce((total, { logprob }) => total + Math.max(logprob, -20), 0);
      const mean = sum / logprobs.length;
      if (Number.isNaN(mean)) return { pass: undefined, reason: 'the log-probabilities are no numbers' };
      const told = `the mean log-probability is ${mean.toFixed(3)}`;
      return mean >= min ? { pass: true, reason: told } : { pass: false, reason: `${told}, below ${min}` };
    },
  };
}
