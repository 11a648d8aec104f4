import { finalNumber, numbersIn } from './number-answer.ts';

/** What `readAnswer` measures of an answer, in this order. */
export const answerFeatureNames = [
  'log-chars',
  'log-lines',
  'log-numbers',
  'numbers-per-100-chars',
  'equations',
  'false-equations',
  'marked-answer',
  'final-number',
  'final-is-whole',
  'final-log-size',
  'final-was-asked',
  'asked-numbers-unused',
  'unasked-numbers',
  'steps-per-asked-number',
  'cut-off',
  'hedges',
  'repeats',
] as const;

/** Longer answers lose their middle: what a verifier looks at takes microseconds. */
const maxChars = 16_000;

/** Bounded everywhere: text that is made to take long takes no longer. */
const operand = String.raw`\d[\d,]{0,19}(?:\.\d{1,12})?`;
const equation = new RegExp(
  String.raw`(?<![\d,.])((?:${operand}\s{0,3}[-+*/x×÷]\s{0,3}){1,12}${operand})\s{0,3}=\s{0,3}\$?(-?${operand})`,
  'gu',
);
const marker = /####|\\boxed|(?:final |the )answer(?: is|:)|^[ \t]{0,8}(?:answer|result)[ \t]{0,8}[:=]/imu;
const hedge =
  /\b(?:not sure|unclear|cannot (?:be )?determine|can't determine|not (?:enough|possible)|insufficient|unknown|assum(?:e|ing|ption)|approximately|about|probably|perhaps|might|however|wait|sorry|let's (?:re|try)|mistake|correction)\b/giu;

/**
 * Measures an answer, given what was asked: its form, its numbers and what became of those of the question, and
 * whether it ends. Says nothing about a language or a subject, but tells most where answers are worked out.
 */
export function readAnswer(question: string, answer: string): Float64Array {
  const text =
    answer.length > maxChars ? answer.slice(0, maxChars / 2) + answer.slice(-maxChars / 2) : answer;
  const trimmed = text.trim();
  const numbers = numbersIn(trimmed);
  const asked = numbersIn(question.length > maxChars ? question.slice(-maxChars) : question);
  const askedSet = new Set(asked);
  const given = new Set(numbers);
  const final = finalNumber(trimmed);
  const lines = trimmed.split('\n').filter((line) => line.trim() !== '');
  const { right, wrong } = checkEquations(trimmed);
  const steps = right + wrong;
  const unused = [...askedSet].filter((number) => !given.has(number)).length;
  const unasked = [...given].filter((number) => !askedSet.has(number)).length;
  return Float64Array.of(
    Math.log1p(trimmed.length),
    Math.log1p(lines.length),
    Math.log1p(numbers.length),
    trimmed.length === 0 ? 0 : (100 * numbers.length) / trimmed.length,
    Math.log1p(steps),
    Math.log1p(wrong),
    marker.test(trimmed) ? 1 : 0,
    final === undefined ? 0 : 1,
    final !== undefined && Number.isInteger(final) ? 1 : 0,
    final === undefined ? 0 : Math.log1p(Math.abs(final)),
    final !== undefined && askedSet.has(final) ? 1 : 0,
    askedSet.size === 0 ? 0 : unused / askedSet.size,
    Math.log1p(unasked),
    steps / (1 + asked.length),
    isCutOff(trimmed) ? 1 : 0,
    Math.log1p(trimmed.match(hedge)?.length ?? 0),
    repeatShare(lines),
  );
}

/** Ends in the middle of something: a word, a sum, a bracket. */
function isCutOff(text: string): boolean {
  if (text === '') return true;
  if (/[.!?)\]}"'`*…。！？]$/u.test(text)) return false;
  const lastLine = text.slice(text.lastIndexOf('\n') + 1);
  return !/^(?:####|answer|result|final)/iu.test(lastLine.trim());
}

/** How many of the lines say what an earlier one has said. */
function repeatShare(lines: readonly string[]): number {
  if (lines.length < 2) return 0;
  return 1 - new Set(lines.map((line) => line.trim())).size / lines.length;
}

/** The sums of an answer, done again: `"3 x 60 = 180"`. */
function checkEquations(text: string): { readonly right: number; readonly wrong: number } {
  let right = 0;
  let wrong = 0;
  for (const [, left = '', result = ''] of text.matchAll(equation)) {
    const value = calculate(left);
    const said = Number(result.replaceAll(',', ''));
    if (value === undefined || Number.isNaN(said)) continue;
    const places = (result.split('.')[1] ?? '').length;
    if (Math.abs(value - said) <= 0.5 * 10 ** -places + 1e-9 * Math.abs(value)) right++;
    else wrong++;
  }
  return { right, wrong };
}

/** A chain of numbers and the four operations, times and divided first. */
function calculate(chain: string): number | undefined {
  const parts = chain.replaceAll(',', '').match(/\d+\.?\d*|[-+*/x×÷]/gu) ?? [];
  let sum = 0;
  let product = Number(parts[0]);
  let sign = 1;
  for (let i = 1; i + 1 < parts.length; i += 2) {
    const value = Number(parts[i + 1]);
    switch (parts[i]) {
      case '*':
      case 'x':
      case '×':
        product *= value;
        break;
      case '/':
      case '÷':
        product /= value;
        break;
      default:
        sum += sign * product;
        sign = parts[i] === '-' ? -1 : 1;
        product = value;
    }
  }
  const result = sum + sign * product;
  return Number.isFinite(result) ? result : undefined;
}
