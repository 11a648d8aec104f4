import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, expect, test, vi } from 'vitest';
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

  test('a stream without a return value, or that is no generator, is one, too', async () => {
    const silent = defineLLM({
      provider: 'local',
      model: 'm',
      generate: () => '',
      async *stream() {
        yield 'a';
      },
    });
    const web = defineLLM({
      provider: 'local',
      model: 'm',
      generate: () => '',
      stream: () => ReadableStream.from(['a', 'b']),
    });
    expect((await silent.stream('x').result).text).toBe('a');
    expect((await web.stream('x').result).text).toBe('ab');
  });

  test('hands out at the end what a stream only returned, then the usage and the finish', async () => {
    const toolCall = { id: '1', name: 'f', argumentsText: '{}', arguments: {} };
    const llm = defineLLM({
      provider: 'local',
      model: 'm',
      generate: () => '',
      async *stream() {
        yield { type: 'reasoning', text: 'hm' };
        return { text: 'all', toolCalls: [toolCall] };
      },
    });
    const stream = llm.stream('x', { includeUsage: true });
    const types: string[] = [];
    for await (const event of stream) types.push(event.type);
    expect(types).toEqual(['reasoning', 'text', 'tool-call', 'usage', 'finish']);
    expect(await stream.result).toMatchObject({
      text: 'all',
      reasoningText: 'hm',
      toolCalls: [toolCall],
      finishReason: 'tool-calls',
      usage: { outputTokens: 2, source: 'estimated' },
    });
  });

  test.each([undefined, null, 5, [], { text: 5 }, { toolCalls: null }])(
    'an answer that is none is malformed: %o',
    async (answer) => {
      const llm = defineLLM({ provider: 'local', model: 'm', generate: () => answer as never });
      const outcomes: string[] = [];
      const options = { onAttempt: ({ outcome }: Attempt) => outcomes.push(outcome) };
      await expect(llm.generate('x', options)).rejects.toMatchObject({ kind: 'malformed' });
      await expect(llm.stream('x', options).result).rejects.toMatchObject({ kind: 'malformed' });
      expect(outcomes).toEqual(['refused', 'refused']);
    },
  );

  test.each([
    ['throws', 'refused'],
    ['is no iterable', 'refused'],
    ['yields nonsense', 'refused'],
    ['fails after its thoughts', 'partial'],
  ])('a stream that %s is one attempt, %s', async (what, outcome) => {
    const streams: Record<string, () => unknown> = {
      throws: () => {
        throw new Error('at once');
      },
      'is no iterable': () => 5,
      'yields nonsense': async function* () {
        yield null;
      },
      'fails after its thoughts': async function* () {
        yield { type: 'reasoning', text: 'hmm' };
        throw new Error('cut');
      },
    };
    const stream = streams[what] as never;
    const llm = defineLLM({ provider: 'local', model: 'm', generate: () => '', stream });
    const outcomes: string[] = [];
    const { result } = llm.stream('x', { onAttempt: (attempt) => outcomes.push(attempt.outcome) });
    await expect(result).rejects.toBeInstanceOf(Error);
    expect(outcomes).toEqual([outcome]);
  });

  test('an abort ends the call at once, whatever the function does', async () => {
    const never = new Promise<never>(() => {});
    const llm = defineLLM({
      provider: 'local',
      model: 'm',
      generate: () => never,
      async *stream() {
        yield 'four';
        await never;
      },
    });
    const outcomes: string[] = [];
    const abortSoon = () => {
      const controller = new AbortController();
      setImmediate(() => controller.abort('enough'));
      return {
        signal: controller.signal,
        onAttempt: ({ outcome }: Attempt) => outcomes.push(outcome),
      };
    };
    await expect(llm.generate('x', abortSoon())).rejects.toBe('enough');
    await expect(llm.stream('x', abortSoon()).result).rejects.toBe('enough');
    const left = llm.stream('x', { onAttempt: ({ outcome }) => outcomes.push(outcome) });
    const iterator = left[Symbol.asyncIterator]();
    await iterator.next();
    void iterator.next();
    await iterator.return?.();
    expect((await left.result).text).toBe('four');
    expect(outcomes).toEqual(['unanswered', 'partial', 'partial']);
  });

  test('a listener that throws, now or later, costs nobody his answer', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const llm = defineLLM({ provider: 'local', model: 'm', generate: () => 'paid' });
    const throwing = (): void => {
      throw new Error('a prompt');
    };
    expect((await llm.generate('x', { onAttempt: throwing })).text).toBe('paid');
    expect((await llm.stream('x', { onAttempt: async () => throwing() }).result).text).toBe('paid');
    expect(warn.mock.calls.map(([message]) => message)).toEqual(
      Array(2).fill(expect.stringContaining('(Error)')),
    );
    warn.mockRestore();
  });

  test('a prompt or a tool that cannot be counted is refused before there is an attempt', async () => {
    const llm = defineLLM({ provider: 'local', model: 'm', generate: () => 'x' });
    const attempts: Attempt[] = [];
    const onAttempt = (attempt: Attempt) => attempts.push(attempt);
    const prompt = [{ role: 'user', content: null }] as never;
    await expect(llm.generate(prompt, { onAttempt })).rejects.toMatchObject({ code: 'config' });
    const tools = [{ name: 'f', parameters: { default: 1n } }];
    await expect(llm.stream('x', { onAttempt, tools }).result).rejects.toThrow('BigInt');
    expect(attempts).toEqual([]);
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
