import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, expect, test } from 'vitest';
import type { Attempt } from './attempt.ts';
import { defineLLM } from './define-llm.ts';
import { ProviderError } from './errors.ts';

const sequence = () => {
  let next = 0;
  return () => `attempt-${++next}`;
};

describe('defineLLM', () => {
  test('makes a full answer of a text', async () => {
    const llm = defineLLM({
      provider: 'local',
      model: 'echo',
      ids: sequence(),
      generate: (prompt) => `You: ${prompt}`,
    });
    expect(llm.id).toBe('local/echo');
    const attempts: Attempt[] = [];
    const generation = await llm.generate('hi', { onAttempt: (attempt) => attempts.push(attempt) });
    expect(generation).toMatchObject({
      text: 'You: hi',
      finishReason: 'stop',
      servedBy: 'local/echo',
      usage: { source: 'estimated', attemptId: 'attempt-1', outputTokens: 2 },
    });
    expect(attempts).toEqual(generation.attempts);
    expect(attempts).toMatchObject([{ attemptId: 'attempt-1', outcome: 'served' }]);
  });

  test('keeps the usage it is given', async () => {
    const usage = { inputTokens: 7, outputTokens: 3, cachedInputTokens: 2 };
    const llm = defineLLM({ provider: 'local', model: 'm', generate: () => ({ text: 'x', usage }) });
    expect((await llm.generate('hi')).usage).toMatchObject({ ...usage, source: 'provider' });
  });

  test('streams a whole answer in one piece, or in its own pieces', async () => {
    const whole = defineLLM({ provider: 'local', model: 'm', generate: () => 'all' });
    const pieces = defineLLM({
      provider: 'local',
      model: 'm',
      generate: () => 'unused',
      async *stream() {
        yield 'a';
        yield 'b';
        return { usage: { inputTokens: 1, outputTokens: 2 } };
      },
    });
    expect((await whole.stream('x').result).text).toBe('all');
    const generation = await pieces.stream('x').result;
    expect(generation).toMatchObject({ text: 'ab', usage: { outputTokens: 2, source: 'provider' } });
  });

  test('a failure is reported as one refused attempt and thrown unchanged', async () => {
    const failure = new ProviderError('down', { kind: 'server', provider: 'local', model: 'm' });
    const llm = defineLLM({ provider: 'local', model: 'm', generate: () => Promise.reject(failure) });
    const attempts: Attempt[] = [];
    const options = { onAttempt: (attempt: Attempt) => attempts.push(attempt) };
    await expect(llm.generate('x', options)).rejects.toBe(failure);
    await expect(llm.stream('x', options).result).rejects.toBe(failure);
    expect(attempts.map(({ outcome }) => outcome)).toEqual(['refused', 'refused']);
  });

  test('a stream that is left is one partial attempt with what came', async () => {
    const llm = defineLLM({
      provider: 'local',
      model: 'm',
      generate: () => '',
      async *stream() {
        yield 'four';
        yield 'more';
        return undefined;
      },
    });
    const attempts: Attempt[] = [];
    const stream = llm.stream('x', { onAttempt: (attempt) => attempts.push(attempt) });
    for await (const _ of stream) break;
    expect(attempts).toMatchObject([{ outcome: 'partial', usage: { outputTokens: 1, source: 'estimated' } }]);
    expect((await stream.result).finishReason).toBe('aborted');
  });

  test('1,000 calls at once keep their answers and attempts apart', async () => {
    const llm = defineLLM({
      provider: 'local',
      model: 'm',
      async generate(prompt) {
        await new Promise((resolve) => setImmediate(resolve));
        return String(prompt);
      },
    });
    const ids = new Set<string>();
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, (_, i) =>
        llm.generate(`${i}`, { onAttempt: ({ attemptId }) => ids.add(attemptId) }),
      ),
    );
    expect(answers.map(({ text }) => text)).toEqual(Array.from({ length: 1_000 }, (_, i) => `${i}`));
    expect(ids.size).toBe(1_000);
  });

  test.each([
    [{ provider: '', model: 'm', generate: () => '' }, 'provider'],
    [{ provider: 'p', model: 'm' }, 'generate'],
  ])('refuses %o', (definition, option) => {
    expect(() => defineLLM(definition as never)).toThrow(option);
  });

  test('publishes each attempt on the tracing channel, without the prompt', async () => {
    const messages: unknown[] = [];
    const listen = (message: unknown) => messages.push(structuredClone(message));
    subscribe('tracing:synapsekit:llm:asyncEnd', listen);
    try {
      const llm = defineLLM({ provider: 'local', model: 'm', generate: () => 'answer' });
      await llm.generate('a secret prompt', { attributes: { userId: 'u1' } });
    } finally {
      unsubscribe('tracing:synapsekit:llm:asyncEnd', listen);
    }
    expect(messages).toMatchObject([
      { id: 'local/m', attributes: { userId: 'u1' }, attempt: { outcome: 'served' } },
    ]);
    expect(JSON.stringify(messages)).not.toMatch(/secret|answer/);
  });
});
