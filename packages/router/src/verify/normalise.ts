import { ConfigError } from '@synapsekit/core';
import { answerJson } from './answer-json.ts';
import { finalNumber } from './number-answer.ts';

/** Boils an answer down to what two answers are compared by. `undefined`: there is nothing to compare. */
export type Normaliser = (text: string) => string | undefined;

/** The number an answer comes to: `"#### 1,200"`, `"\boxed{1200}"` and `"That makes $1200.00."` are the same. */
export const numberAnswer: Normaliser = (text) => {
  const value = finalNumber(text);
  // Twelve digits: 0.1 + 0.2 is 0.3 here.
  return value === undefined || !Number.isFinite(value) ? undefined : String(Number(value.toPrecision(12)));
};

/** Longer answers are no words or labels to compare; reading them would hold up everybody else. */
const maxComparedChars = 65_536;
/** A choice stands at the beginning or at the end of an answer. */
const choiceChars = 16_384;

/** The whole text, without case, punctuation and spacing. Nothing to compare above 65,536 characters. */
export const textAnswer: Normaliser = (text) => {
  if (text.length > maxComparedChars) return undefined;
  const plain = text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
  return plain === '' ? undefined : plain;
};

/**
 * The letter of a multiple choice: `"B"`, `"(b)"`, `"The answer is **B**."`, `"Answer: B) Paris"`.
 *
 * @param letters the choices. @default "ABCDE"
 */
export function choiceAnswer(letters = 'ABCDE'): Normaliser {
  if (typeof letters !== 'string' || !/^[A-Za-z]{2,26}$/u.test(letters)) {
    throw new ConfigError('letters must be two or more letters, e.g. "ABCD".', { option: 'letters' });
  }
  const one = `[${letters.toUpperCase()}${letters.toLowerCase()}]`;
  // Announced or marked letters may be small; a bare one counts as a capital only, or "a" would be one.
  const marked = new RegExp(
    String.raw`(?:\b(?:answer|choice|option)\b[^\n.]{0,20}?(?:is|:|=)?[\s*_("'\[]{1,6}|\\boxed\{\s{0,4})(${one})(?![\w'’])`,
    'gu',
  );
  const alone = new RegExp(String.raw`^[\s*_("'\[]{0,6}(${one})(?:[\s*_)"'\].:,]|$)`, 'u');
  const leading = new RegExp(String.raw`^[\s*_("'\[]{0,6}([${letters.toUpperCase()}])[)\].:*]`, 'u');
  const bare = new RegExp(String.raw`(?<![\w'’])[(\[]?([${letters.toUpperCase()}])(?:[)\].:*]|$)`, 'gu');
  return (text) => {
    const trimmed = text.trim();
    const end = trimmed.slice(-choiceChars);
    const found =
      Array.from(end.matchAll(marked)).at(-1)?.[1] ??
      (trimmed.length <= 3 ? alone.exec(trimmed)?.[1] : undefined) ??
      leading.exec(trimmed.slice(0, choiceChars))?.[1] ??
      Array.from(end.matchAll(bare)).at(-1)?.[1];
    return found?.toUpperCase();
  };
}

/**
 * One of some labels, as whole words, whatever stands round it. Nothing to compare when an answer names none or several;
 * a longer label hides a shorter one inside it.
 */
export function labelAnswer(labels: readonly string[]): Normaliser {
  if (
    !Array.isArray(labels) ||
    labels.length < 2 ||
    labels.some((label) => textAnswer(label) === undefined)
  ) {
    throw new ConfigError('labels must be two or more words, e.g. ["positive", "negative"].', {
      option: 'labels',
    });
  }
  const known = labels.map((label) => textAnswer(label) as string).toSorted((a, b) => b.length - a.length);
  return (text) => {
    let plain = ` ${textAnswer(text) ?? ''} `;
    const found = known.filter((label) => {
      if (!plain.includes(` ${label} `)) return false;
      plain = plain.replaceAll(` ${label} `, ' ');
      return true;
    });
    return found.length === 1 ? found[0] : undefined;
  };
}

/**
 * Some fields of a JSON answer, by their paths (`"total"`, `"customer.id"`, `"items.0.sku"`). Numbers and texts that
 * say the same are the same; all of the document without paths.
 */
export function jsonFields(paths?: readonly string[]): Normaliser {
  if (paths !== undefined && (!Array.isArray(paths) || paths.length === 0)) {
    throw new ConfigError('paths must name at least one field, e.g. ["total"].', { option: 'paths' });
  }
  return (text) => {
    const json = answerJson(text);
    if (json === undefined) return undefined;
    if (paths === undefined) return JSON.stringify(canonical(json.value));
    const values = paths.map((path: string) => fieldOf(json.value, path));
    if (values.every((value) => value === undefined)) return undefined;
    return JSON.stringify(values.map((value) => canonical(value) ?? null));
  };
}

function fieldOf(value: unknown, path: string): unknown {
  let at: unknown = value;
  for (const key of path.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as Record<string, unknown>)[key];
  }
  return at;
}

/** The same for documents that say the same: keys in order, texts plain, numbers as numbers. */
function canonical(value: unknown): unknown {
  if (typeof value === 'string') {
    const number = Number(value);
    return value.trim() !== '' && Number.isFinite(number) ? number : (textAnswer(value) ?? '');
  }
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, canonical(inner)]),
  );
}
