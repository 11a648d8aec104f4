import { isSynapseError, type Prompt, toMessages } from '@synapsekit/core';
import type { Outcome, OutcomeRow } from './outcome.ts';
import { OutcomesError } from './outcomes-error.ts';

/** How lines are read. */
export interface ParseOptions {
  /** The score of a perfect answer: scores are divided by it. @default 1 */
  readonly maxScore?: number | undefined;
  /** Leave answers out: they are most of a file, and only verifiers need them. @default true */
  readonly responses?: boolean | undefined;
}

/** Scores stand at the end of a line; its prompt may be long. */
const nearEnd = 65_536;

/**
 * Reads one line of an outcomes file.
 *
 * @throws OutcomesError that says what is wrong with the line, without its prompt.
 */
export function parseOutcomeRow(
  text: string,
  options: ParseOptions = {},
  where: { readonly file?: string | undefined; readonly line?: number | undefined } = {},
): OutcomeRow {
  const fail = (message: string): OutcomesError => new OutcomesError('malformed', message, where);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const number = /[:,[]\s*-?(NaN|Infinity)\b/.exec(text.slice(-nearEnd))?.[1];
    const hint =
      number === undefined
        ? 'Each line holds one object.'
        : `${number} is no number in JSON: where a score is not known, leave the model's outcome out.`;
    throw fail(`this is no JSON (${text.length} characters). ${hint}`);
  }
  return checkOutcomeRow(value, options, where);
}

/**
 * Checks a value that should be an outcome row.
 *
 * @throws OutcomesError that says what is wrong with it.
 */
export function checkOutcomeRow(
  value: unknown,
  { maxScore = 1, responses = true }: ParseOptions = {},
  where: { readonly file?: string | undefined; readonly line?: number | undefined } = {},
): OutcomeRow {
  const fail = (message: string): OutcomesError => new OutcomesError('malformed', message, where);
  if (!isObject(value)) throw fail('a row must be an object { id, prompt, outcomes }.');
  const { id, group, prompt, outcomes } = value;
  if (typeof id !== 'string' && typeof id !== 'number') throw fail('id must be text.');
  if (group !== undefined && group !== null && typeof group !== 'string') throw fail('group must be text.');
  checkPrompt(prompt, fail);
  if (!isObject(outcomes)) throw fail('outcomes must be an object: { MODEL: { score } }.');
  const entries = Object.entries(outcomes);
  if (entries.length === 0) throw fail('outcomes names no model.');
  return {
    id: String(id),
    ...(typeof group === 'string' && { group }),
    prompt: prompt as Prompt,
    outcomes: Object.fromEntries(
      entries.map(([model, outcome]) => [model, checkOutcome(model, outcome, maxScore, responses, fail)]),
    ),
  };
}

function checkOutcome(
  model: string,
  value: unknown,
  maxScore: number,
  responses: boolean,
  fail: (message: string) => OutcomesError,
): Outcome {
  const name = `outcomes[${JSON.stringify(model)}]`;
  if (!isObject(value)) throw fail(`${name} must be an object { score }.`);
  const { score, costUsd, latencyMs, response } = value;
  if (typeof score !== 'number' || !Number.isFinite(score)) {
    throw fail(`${name}.score must be a number from 0 to ${maxScore}, got ${kindOf(score)}.`);
  }
  if (score < 0 || score > maxScore) {
    const hint =
      maxScore === 1
        ? ' Scores on another scale: say what a perfect answer gets (--max-score; in code: maxScore).'
        : '';
    throw fail(`${name}.score must be a number from 0 to ${maxScore}, got ${score}.${hint}`);
  }
  const amount = (field: string, of: unknown): number | undefined => {
    if (of === undefined || of === null) return undefined;
    if (typeof of === 'number' && Number.isFinite(of) && of >= 0) return of;
    throw fail(
      `${name}.${field} must be a number >= 0, got ${typeof of === 'number' ? of : kindOf(of)}. Leave it out where it is not known.`,
    );
  };
  const cost = amount('costUsd', costUsd);
  const latency = amount('latencyMs', latencyMs);
  if (response !== undefined && response !== null && typeof response !== 'string') {
    throw fail(`${name}.response must be text.`);
  }
  return {
    score: score / maxScore,
    ...(cost !== undefined && { costUsd: cost }),
    ...(latency !== undefined && { latencyMs: latency }),
    ...(responses && typeof response === 'string' && { response }),
  };
}

function checkPrompt(prompt: unknown, fail: (message: string) => OutcomesError): void {
  if (typeof prompt === 'string') return;
  try {
    toMessages(prompt as Prompt);
  } catch (error) {
    throw fail(isSynapseError(error) ? error.message : 'prompt must be text or a list of messages.');
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `JSON` has no NaN: writers make `null` of it. */
function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null (what JSON makes of NaN)';
  return typeof value === 'number' ? String(value) : `a ${Array.isArray(value) ? 'list' : typeof value}`;
}
