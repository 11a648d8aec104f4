import { defineLLM, type PriceLookup, type Prompt } from '@synapsekit/core';
import { beforeAll, describe, expect, test } from 'vitest';
import type { GainModel } from '../src/learned/gain-model.ts';
import { trainRouterModel } from '../src/learned/train-router-model.ts';
import { LengthClassifier } from '../src/length-classifier.ts';
import { needsOf } from '../src/policy/capability-gate.ts';
import { expectedCostUsd } from '../src/policy/expected-cost.ts';
import { roughPromptTokens, roughTextTokens } from '../src/policy/rough-tokens.ts';
import { RouteDesk } from '../src/policy/route-desk.ts';
import { AnswerVerifier } from '../src/verify/answer-verifier.ts';
import { choiceAnswer, labelAnswer, numberAnswer, textAnswer } from '../src/verify/normalise.ts';
import { notRefused } from '../src/verify/not-refused.ts';
import { trainVerifier } from '../src/verify/train-verifier.ts';
import { charsRead } from './chars-read.ts';
import { syntheticOutcomes } from './synthetic-outcomes.ts';

/** Ten megabytes, flat in memory as a request body would be. */
const huge = Buffer.from('prove the theorem, 12 + 7 = 19, then what? '.repeat(232_558)).toString();
const prices: PriceLookup = {
  find: ({ model }) => ({
    provider: 'test',
    model,
    source: 'test',
    costPico: ({ inputTokens }) => BigInt(inputTokens),
    maxCostPico: ({ inputTokens }) => BigInt(inputTokens),
  }),
};
const llm = (model: string) => defineLLM({ provider: 'test', model, generate: () => model });

/** What anybody may read of a prompt or an answer to decide on it. */
const bound = 160_000;

describe('a prompt of ten megabytes', () => {
  let model: GainModel;
  beforeAll(async () => {
    model = await trainRouterModel(syntheticOutcomes(400), { fallback: false });
  });
  const shapes: readonly (readonly [string, Prompt])[] = [
    ['text', huge],
    ['a message', [{ role: 'user', content: huge }]],
    [
      'parts',
      [
        { role: 'system', content: huge },
        { role: 'user', content: [{ type: 'text', text: huge }] },
      ],
    ],
  ];

  test.each(shapes)('as %s is read in part only, by everybody who decides', (_, prompt) => {
    const desk = new RouteDesk({ router: 'test', policies: [] });
    const candidates = [{ llm: llm('small') }, { llm: llm('large') }];
    const readers: Readonly<Record<string, () => unknown>> = {
      gain: () => model.gain(prompt),
      hardened: () => model.hardenedGain(prompt),
      predict: () => model.predict(prompt, { hardened: true }),
      seen: () => model.wasTrainedOn(prompt),
      needs: () => needsOf(prompt, {}),
      cost: () => expectedCostUsd(llm('small'), prompt, {}, prices),
      length: () => new LengthClassifier().complexityOf(prompt),
      servable: () =>
        desk.requireServable(
          prompt,
          {},
          candidates.map((candidate) => candidate.llm),
        ),
      decide: () => desk.decide({ prompt, options: {}, candidates, qualityPerUsd: 0 }),
    };
    const read = Object.fromEntries(Object.entries(readers).map(([name, work]) => [name, charsRead(work)]));
    expect(Object.entries(read).filter(([, chars]) => chars > 2 * bound)).toEqual([]);
    expect(read.gain).toBeGreaterThan(0);
    expect(read.needs).toBeGreaterThan(0);
  });

  test('has the length that it has, all the same', () => {
    const text = huge.slice(-20_000);
    expect(new LengthClassifier({ complexFromChars: 9_000_000 }).complexityOf(huge)).toBe('complex');
    expect(model.gain(huge)).toBe(model.gain(text));
    expect(model.wasTrainedOn(huge)).toBe(false);
  });

  test('an answer of that size is read in part only, too', () => {
    const rows = syntheticOutcomes(300).map((row) => ({
      ...row,
      outcomes: {
        ...row.outcomes,
        small: { score: row.outcomes.small?.score ?? 0, response: `So: ${row.id}` },
      },
    }));
    const json = trainVerifier(rows, { weak: 'small', strong: 'large' });
    if (json === undefined) throw new Error('nothing was learnt');
    const verifier = new AnswerVerifier(json);
    const refused = notRefused();
    const generation = { text: huge, finishReason: 'stop', toolCalls: [] };
    const readers: Readonly<Record<string, () => unknown>> = {
      learned: () => verifier.read(huge, huge),
      number: () => numberAnswer(huge),
      text: () => textAnswer(huge),
      choice: () => choiceAnswer()(huge),
      label: () => labelAnswer(['positive', 'negative'])(huge),
      refused: () => refused.verify({ generation } as never),
    };
    // Some ten patterns look at the same piece.
    const read = Object.entries(readers).map(([name, work]) => [name, charsRead(work)] as const);
    expect(read.filter(([, chars]) => chars > 10 * bound)).toEqual([]);
    expect(numberAnswer(`${huge}\n#### 540`)).toBe('540');
    expect(choiceAnswer()(`${huge}\nAnswer: B`)).toBe('B');
    expect(textAnswer(huge)).toBeUndefined();
  });
});

describe('rough counts of tokens', () => {
  test('are those of the whole text up to 65,536 characters, and near them above', () => {
    const mixed = `${'Eine Frage über Zahlen. '.repeat(3_000)}${'証明してください。'.repeat(5_000)}${'plain words '.repeat(9_000)}`;
    const bytes = (text: string): number => Math.ceil(Buffer.byteLength(text) / 4);
    for (const text of ['', 'a', mixed.slice(0, 65_536)]) expect(roughTextTokens(text)).toBe(bytes(text));
    const exact = bytes(mixed);
    expect(Math.abs(roughTextTokens(mixed) - exact) / exact).toBeLessThan(0.1);
    expect(roughTextTokens(huge)).toBe(bytes(huge));
    const whole = roughPromptTokens([{ role: 'user', content: huge }], {});
    expect(whole).toBeGreaterThanOrEqual(bytes(huge));
    expect(whole).toBeLessThan(bytes(huge) + 20);
  });
});
