import { defineLLM, type Prompt, ProviderError } from '@synapsekit/core';
import { describe, expect, test } from 'vitest';
import { LengthClassifier } from './length-classifier.ts';
import { LLMClassifier } from './llm-classifier.ts';
import { clipMiddle, queryText } from './query.ts';

const answering = (answer: string, seen: Prompt[] = []) =>
  defineLLM({
    provider: 'test',
    model: 'cheap',
    generate(prompt) {
      seen.push(prompt);
      return { text: answer, usage: { inputTokens: 80, outputTokens: 1 } };
    },
  });

const failing = (error: unknown) =>
  defineLLM({ provider: 'test', model: 'down', generate: () => Promise.reject(error) });

describe('LLMClassifier', () => {
  test('asks the model and returns its label and its generation', async () => {
    const classification = await new LLMClassifier({ llm: answering('Simple.') }).classify('What is 2 + 2?');
    expect(classification).toMatchObject({ complexity: 'simple', source: 'model' });
    expect(classification.generation?.usage).toMatchObject({ inputTokens: 80, outputTokens: 1 });
  });

  test('takes medium, or what it was told, for an answer without a label', async () => {
    const llm = answering('I would rather not say.');
    expect((await new LLMClassifier({ llm }).classify('Hm?')).complexity).toBe('medium');
    const classifier = new LLMClassifier({ llm, defaultComplexity: 'complex' });
    expect((await classifier.classify('Hm?')).complexity).toBe('complex');
  });

  test('falls back to the length of the query when its model is down, and says why', async () => {
    const down = new ProviderError('down', { kind: 'server', provider: 'test', model: 'down' });
    const classifier = new LLMClassifier({ llm: failing(down) });
    expect(await classifier.classify('What is 2 + 2?')).toEqual({
      complexity: 'simple',
      source: 'local',
      error: down,
    });
    expect((await classifier.classify('word '.repeat(200))).complexity).toBe('complex');
  });

  test('asks its model under the rules of the call: a budget around a router counts on it', async () => {
    const order: string[] = [];
    await new LLMClassifier({ llm: answering('simple') }).classify('x', {
      onAttemptStart: ({ id }) => void order.push(`start ${id}`),
      onAttempt: ({ outcome }) => order.push(outcome),
    });
    expect(order).toEqual(['start test/cheap', 'served']);
  });

  test('only an abort makes it reject', async () => {
    const controller = new AbortController();
    const llm = defineLLM({
      provider: 'test',
      model: 'slow',
      generate: (_, { signal }) =>
        new Promise((_, reject) =>
          signal?.addEventListener('abort', () => reject(new Error('the SDK’s own words'))),
        ),
    });
    const classification = new LLMClassifier({ llm }).classify('x', { signal: controller.signal });
    controller.abort('enough');
    await expect(classification).rejects.toBe('enough');
    await expect(new LLMClassifier({ llm }).classify('x', { signal: AbortSignal.abort('no') })).rejects.toBe(
      'no',
    );
  });

  test('shows a long query without its middle, and only the last user message', async () => {
    const seen: Prompt[] = [];
    const classifier = new LLMClassifier({ llm: answering('complex', seen), maxQueryChars: 100 });
    await classifier.classify([
      { role: 'system', content: 'SECRET INSTRUCTIONS' },
      { role: 'user', content: `begin ${'x'.repeat(10_000)} end` },
    ]);
    const [question] = seen;
    expect(question).toMatch(/begin x+\n\[…\]\nx+ end$/);
    expect(question).not.toContain('SECRET');
    expect(String(question).length).toBeLessThan(1_000);
  });

  test.each([
    [{}, 'llm'],
    [{ llm: answering('x'), maxQueryChars: 0 }, 'maxQueryChars'],
    [{ llm: answering('x'), model: 'gpt' }, 'model'],
    [{ llm: answering('x'), defaultComplexity: 'hard' }, 'defaultComplexity'],
  ])('refuses %o', (options, option) => {
    expect(() => new LLMClassifier(options as never)).toThrow(option);
  });
});

describe('LengthClassifier', () => {
  test('goes by its thresholds, inclusive', () => {
    const prior = new LengthClassifier({ mediumFromChars: 3, complexFromChars: 5 });
    expect(['ab', 'abc', 'abcd', 'abcde'].map((query) => prior.complexityOf(query))).toEqual([
      'simple',
      'medium',
      'medium',
      'complex',
    ]);
  });

  test.each([
    { mediumFromChars: 0 },
    { mediumFromChars: 9, complexFromChars: 9 },
    { complexFromChars: Number.NaN },
  ])('refuses %o', (options) => {
    expect(() => new LengthClassifier(options)).toThrow('FromChars');
  });
});

test('the query of a conversation is its last user message', () => {
  expect(
    queryText([
      { role: 'user', content: 'first' },
      { role: 'assistant', content: 'answer' },
      { role: 'user', content: [{ type: 'text', text: 'second' }] },
    ]),
  ).toBe('second');
  expect(queryText([{ role: 'system', content: 'only this' }])).toBe('only this');
});

test('clipping never cuts a character in two', () => {
  expect(clipMiddle('😀'.repeat(100), 51).isWellFormed()).toBe(true);
});
