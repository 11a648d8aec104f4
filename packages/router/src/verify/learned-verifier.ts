import { ConfigError, rejectUnknownKeys, requireNumber } from '@synapsekit/core';
import { queryText } from '../query.ts';
import { AnswerVerifier } from './answer-verifier.ts';
import type { VerifierJson } from './train-verifier.ts';
import { noText, onlyToolCalls, type Verifier } from './verifier.ts';

/** Options of `learnedVerifier`. */
export interface LearnedVerifierOptions {
  /**
   * Escalates where the strong model is expected to be right so much oftener, -1 to 1. @default 0.1, unless
   * `escalateShare` is given
   */
  readonly minGain?: number | undefined;
  /** Escalates about this share of the answers, 0 to 1, on traffic like the training data's. */
  readonly escalateShare?: number | undefined;
}

/**
 * A trained model reads the answer and foresees what escalating would gain. `synapsekit route train` makes it of an
 * outcomes file with responses, and puts it into the same model file as the router's. It knows the kind of traffic that
 * it was trained on, and nothing else.
 *
 * @param model a model file, parsed, that has a verifier; or the verifier itself (`VerifierJson`).
 * @throws ConfigError for a file without one, or options out of range.
 */
export function learnedVerifier(model: unknown, options: LearnedVerifierOptions = {}): Verifier {
  rejectUnknownKeys(options, ['minGain', 'escalateShare'], 'learnedVerifier');
  const { minGain, escalateShare } = options;
  const json = verifierOf(model);
  if (json === undefined) {
    throw new ConfigError(
      'This model file has no verifier. Log `response` with the outcomes and train again: synapsekit route train.',
      { option: 'model' },
    );
  }
  if (minGain !== undefined && escalateShare !== undefined) {
    throw new ConfigError('Give minGain or escalateShare, not both.', { option: 'escalateShare' });
  }
  const verifier = new AnswerVerifier(json);
  const least =
    escalateShare !== undefined
      ? verifier.gainAtShare(escalateShare)
      : requireNumber(minGain ?? 0.1, 'minGain', { min: -1, max: 1 });
  return {
    name: 'learned',
    failure: 'doubtful',
    verify({ prompt, generation }) {
      if (onlyToolCalls(generation)) return noText;
      const { right, gain } = verifier.read(queryText(prompt), generation.text);
      const reason = `right with ${right.toFixed(2)}, escalating gains ${gain.toFixed(2)}`;
      return { pass: gain < least, score: right, gain, reason };
    },
  };
}

/** The verifier of a model file, or the one that was given. What it holds is checked by whoever reads it. */
function verifierOf(model: unknown): VerifierJson | undefined {
  if (typeof model !== 'object' || model === null) return undefined;
  if ('heads' in model && 'norms' in model) return model as VerifierJson;
  return ('verifier' in model ? (model.verifier as VerifierJson | null | undefined) : undefined) ?? undefined;
}
