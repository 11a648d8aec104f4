import { ConfigError, rejectUnknownKeys, requireNumber } from '@synapsekit/core';
import { onlyToolCalls, type Verifier } from './verifier.ts';

/** Options of `notRefused`. */
export interface NotRefusedOptions {
  /** More ways to say no, in your language or of your model. @default none */
  readonly patterns?: readonly RegExp[] | undefined;
  /** Refusals come at once: only so many characters from the beginning are looked at. @default 240 */
  readonly firstChars?: number | undefined;
}

const i = String.raw`\bI(?: am|'m|’m)?\s`;
/** How models say no, at the beginning of an answer. A polite answer that says "I can't recommend X enough" is none. */
const refusals: readonly RegExp[] = [
  new RegExp(
    String.raw`${i}(?:(?:really |very |truly )?sorry|apologi[sz]e)\b[^.!?\n]{0,60}\b(?:can(?:'t|’t|not)|unable|not able|won(?:'t|’t))`,
    'iu',
  ),
  new RegExp(
    String.raw`${i}(?:can(?:'t|’t|not)|(?:am |'m )?(?:unable|not able) to|won(?:'t|’t)|must decline|have to decline)\s*(?:to\s)?(?:help|assist|answer|provide|do that|comply|fulfil|discuss|create|generate|continue|engage|support|share|give)\b(?![^.!?\n]{0,40}\benough\b)`,
    'iu',
  ),
  /^[^\w]{0,3}(?:unable|not able) to (?:help|assist|answer|provide|comply)/iu,
  /\bas an? (?:AI|artificial intelligence|(?:large )?language model)\b[^.!?\n]{0,80}\b(?:can(?:'t|’t|not)|unable|not able|don(?:'t|’t) have)/iu,
  /^[^\n]{0,60}\b(?:I (?:don't|don’t|do not) (?:know|have (?:enough|access|the information))|I have no (?:information|access))\b/iu,
];

/**
 * The model has not said no: neither by its filter nor in words ("I'm sorry, but I can't help with that."), nor that it
 * does not know.
 *
 * @throws ConfigError for options out of range.
 */
export function notRefused(options: NotRefusedOptions = {}): Verifier {
  rejectUnknownKeys(options, ['patterns', 'firstChars'], 'notRefused');
  const { patterns = [], firstChars = 240 } = options;
  requireNumber(firstChars, 'firstChars', { integer: true, min: 1 });
  if (!Array.isArray(patterns) || !patterns.every((pattern) => pattern instanceof RegExp)) {
    throw new ConfigError('patterns must be a list of regular expressions.', { option: 'patterns' });
  }
  // One with the flag "g" would remember where it stopped in another answer.
  const all = [
    ...refusals,
    ...patterns.map(({ source, flags }) => new RegExp(source, flags.replace(/[gy]/g, ''))),
  ];
  return {
    name: 'not-refused',
    verify({ generation }) {
      if (generation.finishReason === 'content-filter') {
        return { pass: false, reason: 'a filter refused it' };
      }
      if (onlyToolCalls(generation)) return { pass: true, reason: 'it calls tools' };
      // What somebody in the answer says is no refusal of the model's.
      const [beginning = ''] = generation.text
        .trimStart()
        .slice(0, firstChars)
        .split(/["“«„]/u, 1);
      if (all.some((pattern) => pattern.test(beginning))) {
        return { pass: false, reason: 'the answer refuses' };
      }
      return { pass: true, reason: 'it does not refuse' };
    },
  };
}
