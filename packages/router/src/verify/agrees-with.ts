import { type CallOptions, ConfigError, type LLM, rejectUnknownKeys, requireNumber } from '@synapsekit/core';
import { type Normaliser, textAnswer } from './normalise.ts';
import { noText, onlyToolCalls, type Verifier } from './verifier.ts';

/** Options of `agreesWith`. */
export interface AgreesWithOptions {
  /**
   * What two answers are compared by: `numberAnswer`, `choiceAnswer()`, `labelAnswer([…])`, `jsonFields([…])`, or a
   * function of your own. @default `textAnswer`: the same words
   */
  readonly by?: Normaliser | undefined;
  /** How many of the other models have to agree. @default all of them */
  readonly atLeast?: number | undefined;
  /** Options of the other models' calls, over the caller's: `{ maxTokens: 200 }`. @default the caller's */
  readonly callOptions?:
    | Pick<CallOptions, 'maxTokens' | 'temperature' | 'timeoutMs' | 'reasoningEffort'>
    | undefined;
}

/**
 * Another cheap model comes to the same answer. Two models of different make seldom make the same mistake: on GSM8K the
 * disagreement of two models of 8 to 47 billion parameters finds bad answers better than anything that reads the
 * prompt (APGR 0.89 to 0.91, against 0.67). It costs the other model's call, and its time. Only for answers that can be
 * compared: numbers, choices, labels, JSON fields.
 *
 * A model that is down, or that the budget refuses, has no say.
 *
 * @throws ConfigError for options out of range.
 */
export function agreesWith(others: LLM | readonly LLM[], options: AgreesWithOptions = {}): Verifier {
  rejectUnknownKeys(options, ['by', 'atLeast', 'callOptions'], 'agreesWith');
  const models: readonly LLM[] = Array.isArray(others) ? [...others] : [others as LLM];
  if (models.length === 0 || models.some((llm) => typeof llm?.generate !== 'function')) {
    throw new ConfigError('agreesWith needs a model, or a list of models.', { option: 'others' });
  }
  const { by = textAnswer, atLeast = models.length, callOptions = {} } = options;
  if (typeof by !== 'function') {
    throw new ConfigError('by must be a function, e.g. numberAnswer.', { option: 'by' });
  }
  requireNumber(atLeast, 'atLeast', { integer: true, min: 1, max: models.length });
  return {
    name: 'agrees',
    failure: 'doubtful',
    models,
    async verify({ generation, ask, signal }) {
      if (onlyToolCalls(generation)) return noText;
      const own = by(generation.text);
      if (own === undefined) return { pass: false, reason: 'the answer has nothing to compare' };
      const asked = await Promise.all(
        models.map(async (llm) => {
          try {
            const { text } = await ask(llm, callOptions);
            return { answer: by(text) };
          } catch (error) {
            if (signal?.aborted === true) throw signal.reason;
            return { error };
          }
        }),
      );
      const heard = asked.filter((answer) => !('error' in answer));
      const agreeing = heard.filter(({ answer }) => answer === own).length;
      const reason = `${agreeing} of ${heard.length} other models agree`;
      const error = asked.find((answer) => 'error' in answer)?.error;
      if (agreeing >= atLeast) return { pass: true, reason };
      // Whoever was not heard might have agreed.
      if (agreeing + (models.length - heard.length) >= atLeast) {
        return {
          pass: undefined,
          reason: `${reason}, ${models.length - heard.length} could not be asked`,
          error,
        };
      }
      return { pass: false, reason };
    },
  };
}
