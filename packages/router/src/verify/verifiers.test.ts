import {
  type CallOptions,
  defineLLM,
  type Generation,
  type LLM,
  type Prompt,
  ProviderError,
  toToolCall,
} from '@synapsekit/core';
import { describe, expect, test } from 'vitest';
import { agreesWith } from './agrees-with.ts';
import { finished } from './finished.ts';
import { matchesSchema, type StandardSchema } from './matches-schema.ts';
import { meanLogprob } from './mean-logprob.ts';
import { numberAnswer } from './normalise.ts';
import { notRefused } from './not-refused.ts';
import { passes } from './passes.ts';
import type { Verdict, Verifier } from './verifier.ts';

const answer = (part: Partial<Generation>): Generation => ({
  text: '',
  toolCalls: [],
  finishReason: 'stop',
  usage: { inputTokens: 1, outputTokens: 1 },
  attempts: [],
  provider: 'test',
  model: 'cheap',
  servedBy: 'test/cheap',
  servedModel: 'cheap',
  latencyMs: 1,
  failures: [],
  ...part,
});

const verdict = async (
  verifier: Verifier,
  part: Partial<Generation> | string,
  {
    prompt = 'What?',
    options = {},
    signal,
  }: { prompt?: Prompt; options?: CallOptions; signal?: AbortSignal } = {},
): Promise<Verdict> =>
  verifier.verify({
    prompt,
    options,
    signal,
    generation: answer(typeof part === 'string' ? { text: part } : part),
    ask: (llm, over) => llm.generate(prompt, { ...over, signal }),
  });

describe('finished', () => {
  const tools = [{ name: 'look-up' }];
  const call = toToolCall('1', 'look-up', '{}');
  test.each([
    [{ text: 'Yes.' }, true],
    [{ text: 'Yes', finishReason: 'length' as const }, false],
    [{ text: 'Yes', finishReason: 'content-filter' as const }, false],
    [{ text: '  ' }, false],
    [{ toolCalls: [call], finishReason: 'tool-calls' as const }, true],
    [{ toolCalls: [toToolCall('1', 'look-up', '{"a":')], finishReason: 'tool-calls' as const }, false],
    [{ toolCalls: [toToolCall('1', 'launch', '{}')], finishReason: 'tool-calls' as const }, false],
  ])('%j: %s', async (part, pass) => {
    expect(await verdict(finished(), part, { options: { tools } })).toMatchObject({ pass });
  });
});

describe('notRefused', () => {
  test.each([
    "I'm sorry, but I can't help with that.",
    'I’m sorry, but I cannot assist with this request.',
    'I apologize, but I am unable to answer this.',
    'I cannot provide medical advice.',
    'As an AI language model, I don’t have access to real-time data.',
    'I am not able to comply with this.',
    'Unable to answer.',
    "I don't know.",
    'Unfortunately, I have no information about that.',
  ])('%s', async (text) => {
    expect(await verdict(notRefused(), text)).toMatchObject({ pass: false });
  });

  test.each([
    'Paris is the capital of France.',
    "I can't recommend this book enough!",
    'The court refused to help the plaintiff.',
    'Sorry is a board game.',
    'The witness said: "I\'m sorry, but I cannot help you. I don\'t know."',
    `It works as follows. ${'x'.repeat(300)} I'm sorry, but I can't help with that.`,
  ])('%s', async (text) => {
    expect(await verdict(notRefused(), text)).toMatchObject({ pass: true });
  });

  test('takes patterns of your own, and does not mind the flag g', async () => {
    const verifier = notRefused({ patterns: [/tut mir leid/gi] });
    for (let i = 0; i < 3; i++) {
      expect(await verdict(verifier, 'Das tut mir leid, nein.')).toMatchObject({ pass: false });
    }
    expect(() => notRefused({ patterns: ['no'] as never })).toThrow(/regular expressions/);
    expect(() => notRefused({ firstChars: 0 })).toThrow(/firstChars/);
  });
});

/** A schema of an imaginary library: `{ total: number }`. */
const schema: StandardSchema = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: async (value) => {
      const total = (value as { total?: unknown } | null)?.total;
      if (typeof total === 'number') return {};
      return { issues: [{ message: `got secret ${JSON.stringify(value)}`, path: [{ key: 'total' }] }] };
    },
  },
};

describe('matchesSchema', () => {
  test.each([
    ['{"total": 3}', true],
    ['Here you are:\n```json\n{"total": 3}\n```\nAnything else?', true],
    ['```\n{"total": 3}\n```', true],
    ['{"total": "3"}', false],
    ['{"total": 3', false],
    ['The total is 3.', false],
    ['```json\n{"total": 3}\n```\nor\n```json\n{"total": 4}\n```', false],
    ['', false],
  ])('%j: %s', async (text, pass) => {
    expect(await verdict(matchesSchema(schema), text)).toMatchObject({ pass });
  });

  test('says where, never what', async () => {
    const { reason } = await verdict(matchesSchema(schema), '{"total": "4111 1111"}');
    expect(reason).toContain('total');
    expect(reason).not.toContain('4111');
  });

  test('without a schema any JSON will do; tool calls are none of its business', async () => {
    expect(await verdict(matchesSchema(), '[1]')).toMatchObject({ pass: true });
    expect(await verdict(matchesSchema(), { toolCalls: [toToolCall('1', 'a', '{}')] })).toMatchObject({
      pass: undefined,
    });
    expect(() => matchesSchema({} as never)).toThrow(/Standard Schema/);
  });
});

describe('passes', () => {
  test.each([
    [() => true, true],
    [() => false, false],
    [async () => false, false],
    [() => undefined, true],
    [() => Promise.reject(new Error('expected 3')), false],
    [
      () => {
        throw new Error('expected 3');
      },
      false,
    ],
  ])('%s: %s', async (predicate, pass) => {
    expect(await verdict(passes(predicate), 'x')).toMatchObject({ pass });
  });

  test('has the name of its function, ends with the signal', async () => {
    expect(passes(function hasTotal() {}).name).toBe('hasTotal');
    expect(passes(() => true, { name: 'sql' }).name).toBe('sql');
    const controller = new AbortController();
    const running = verdict(
      passes(() => new Promise(() => {})),
      'x',
      { signal: controller.signal },
    );
    controller.abort('enough');
    await expect(running).rejects.toBe('enough');
    expect(() => passes('no' as never)).toThrow(/function/);
  });
});

describe('meanLogprob', () => {
  const logprobs = (...values: number[]) => ({
    text: 'x',
    logprobs: values.map((logprob) => ({ token: 'x', logprob, alternatives: [] })),
  });
  test('judges by the mean, and knows nothing without', async () => {
    const verifier = meanLogprob({ min: -0.5 });
    expect(verifier).toMatchObject({ needsLogprobs: true, failure: 'doubtful' });
    expect(await verdict(verifier, logprobs(-0.1, -0.8))).toMatchObject({ pass: true });
    expect(await verdict(verifier, logprobs(-0.1, -1.2))).toMatchObject({ pass: false });
    expect(await verdict(verifier, 'x')).toMatchObject({ pass: undefined });
  });

  test('one token of no probability at all does not decide over a long answer', async () => {
    const sure = Array.from({ length: 99 }, () => -0.01);
    expect(await verdict(meanLogprob({ min: -0.5 }), logprobs(...sure, -9999))).toMatchObject({ pass: true });
    expect(
      await verdict(meanLogprob({ min: -0.5 }), logprobs(...sure, Number.NEGATIVE_INFINITY)),
    ).toMatchObject({ pass: true });
    expect(() => meanLogprob({ min: 0.5 })).toThrow(/min/);
  });
});

describe('agreesWith', () => {
  const other = (text: string): LLM => defineLLM({ provider: 'test', model: 'other', generate: () => text });
  const down: LLM = defineLLM({
    provider: 'test',
    model: 'down',
    generate: () => {
      throw new ProviderError('down', { kind: 'server', provider: 'test', model: 'down' });
    },
  });

  test.each([
    ['#### 540', 'He runs 540 metres.', true],
    ['#### 540', 'It is $540.00', true],
    ['#### 540', '541', false],
    ['#### 540', 'no idea', false],
    ['no idea', '540', false],
  ])('%s and %s: %s', async (own, theirs, pass) => {
    expect(await verdict(agreesWith(other(theirs), { by: numberAnswer }), own)).toMatchObject({ pass });
  });

  test('several models: all, or as many as you say', async () => {
    const models = [other('1'), other('2'), other('1')];
    expect(await verdict(agreesWith(models), '1')).toMatchObject({ pass: false });
    expect(await verdict(agreesWith(models, { atLeast: 2 }), '1')).toMatchObject({
      pass: true,
      reason: '2 of 3 other models agree',
    });
  });

  test('a model that is down has no say; where the others decide, it is not missed', async () => {
    const alone = await verdict(agreesWith(down), '1');
    expect(alone.pass).toBeUndefined();
    expect(alone.error).toMatchObject({ code: 'provider' });
    expect(await verdict(agreesWith([down, other('1')], { atLeast: 1 }), '1')).toMatchObject({ pass: true });
    expect(await verdict(agreesWith([down, other('2')]), '1')).toMatchObject({ pass: false });
  });

  test('refuses options out of range', () => {
    expect(() => agreesWith([])).toThrow(/needs a model/);
    expect(() => agreesWith(down, { atLeast: 2 })).toThrow(/atLeast/);
    expect(() => agreesWith(down, { by: 'number' as never })).toThrow(/function/);
    expect(() => agreesWith(down, { nope: 1 } as never)).toThrow(/nope/);
  });
});
