import { ConfigError, requireNumber } from '@synapsekit/core';
import { unpackWeights } from '../learned/int8-weights.ts';
import type { VerifierJson } from './train-verifier.ts';
import { VerifierFeatures, verifierMeasures } from './verifier-features.ts';

/** What a trained verifier says of an answer. */
export interface AnswerOutlook {
  /** Chance that the answer is right, 0 to 1. */
  readonly right: number;
  /** Chance that the strong model would be right, 0 to 1. */
  readonly strongRight: number;
  /** What escalating is expected to gain, -1 to 1. */
  readonly gain: number;
}

/** A trained verifier, ready to read answers: microseconds, no network. */
export class AnswerVerifier {
  /** Name, in the training data, of the model whose answers it reads. */
  readonly weak: string;
  /** Name of the model that it was compared with. */
  readonly strong: string;
  readonly #features: VerifierFeatures;
  readonly #heads: readonly { readonly bias: number; readonly weights: Float32Array }[];
  readonly #gains: readonly number[];

  /** @throws ConfigError for what is no verifier, or one of a later version. */
  constructor(json: VerifierJson) {
    const { version, weak, strong, buckets, norms, heads, gains } = (json ?? {}) as Partial<VerifierJson>;
    if (version !== 2) {
      throw new ConfigError(
        `verifier.version must be 2, got ${String(version)}. Train it again with this release: synapsekit route train.`,
        { option: 'verifier' },
      );
    }
    const { means, deviations } = norms ?? {};
    for (const [option, list] of Object.entries({ means, deviations })) {
      if (!Array.isArray(list) || list.length !== verifierMeasures) {
        throw new ConfigError(
          `verifier.norms.${option} must have ${verifierMeasures} numbers. Train it again with this release.`,
          { option: 'verifier' },
        );
      }
      for (const value of list) requireNumber(value, `verifier.norms.${option}`);
    }
    if (typeof weak !== 'string' || typeof strong !== 'string' || !Array.isArray(gains)) {
      throw new ConfigError('verifier must name weak and strong, and have gains.', { option: 'verifier' });
    }
    this.weak = weak;
    this.strong = strong;
    this.#features = new VerifierFeatures(requireNumber(buckets, 'verifier.buckets'), {
      means: means as readonly number[],
      deviations: deviations as readonly number[],
    });
    this.#heads = (['weak', 'strong'] as const).map((name) => {
      const head = heads?.[name];
      if (typeof head !== 'object' || head === null) {
        throw new ConfigError(`verifier.heads.${name} is missing.`, { option: 'verifier' });
      }
      const what = `verifier.heads.${name}`;
      return {
        bias: requireNumber(head.bias, `${what}.bias`),
        weights: unpackWeights(head.weights, this.#features.columns, `${what}.weights`),
      };
    });
    this.#gains = gains.map((gain) => requireNumber(gain, 'verifier.gains'));
  }

  /** Judges an answer. */
  read(question: string, answer: string): AnswerOutlook {
    const features = this.#features;
    features.read(question, answer);
    const [right = 0, strongRight = 0] = this.#heads.map(({ bias, weights }) => {
      let margin = bias;
      for (let k = 0; k < features.count; k++) {
        margin += (weights[features.indices[k] as number] as number) * (features.values[k] as number);
      }
      return 1 / (1 + Math.exp(-margin));
    });
    return { right, strongRight, gain: strongRight - right };
  }

  /** The least gain at which about this share of the answers is escalated, on traffic like the training data. */
  gainAtShare(share: number): number {
    requireNumber(share, 'escalateShare', { min: 0, max: 1 });
    if (share === 0) return Number.POSITIVE_INFINITY;
    if (share === 1) return Number.NEGATIVE_INFINITY;
    const at = share * (this.#gains.length - 1);
    const below = Math.floor(at);
    const from = this.#gains[below] ?? 0;
    const to = this.#gains[Math.min(below + 1, this.#gains.length - 1)] ?? from;
    return from + (to - from) * (at - below);
  }
}
