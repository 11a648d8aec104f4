import { AsyncLocalStorage } from 'node:async_hooks';
import { channel } from 'node:diagnostics_channel';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type Attempt,
  type CallOptions,
  ConfigError,
  type CostRecord,
  createGenerationStream,
  defineLLM,
  failoverGenerate,
  failoverStream,
  type Generation,
  type GenerationStream,
  type LLM,
  ProviderError,
  startAttempt,
  UnknownPriceError,
  type Usage,
  wrap,
} from '@synapsekit/core';
import { seededRandom } from '@synapsekit/testing';
import { describe, expect, expectTypeOf, test, vi } from 'vitest';
import { flatPrices } from '../test/flat-prices.ts';
import { CostTracker, type CostTrackerOptions } from './cost-tracker.ts';
import { type TrackCostOptions, trackCost } from './track-cost.ts';

const usage = { inputTokens: 1_000, outputTokens: 100 };

function newTracker(options: CostTrackerOptions = {}): CostTracker {
  return new CostTracker({ prices: flatPrices(), onWarning() {}, ...options });
}

/** A model that answers after a turn of the event loop, in three pieces where it streams. */
function answering(model = 'gpt-4o', provider = 'openai'): LLM {
  return defineLLM({
    provider,
    model,
    async generate(_prompt, { signal }) {
      await nextTurn(undefined, { signal });
      return { text: 'one two three', usage };
    },
    async *stream(_prompt, { signal }) {
      for (const piece of ['one ', 'two ', 'three']) {
        await nextTurn(undefined, { signal });
        yield piece;
      }
      return { usage };
    },
  });
}

/** A model that answers nothing until it is aborted. */
function hanging(): LLM {
  return defineLLM({
    provider: 'openai',
    model: 'gpt-4o',
    generate: (_prompt, { signal }) =>
      new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
  });
}

function failing(model: string, provider: string): LLM {
  return defineLLM({
    provider,
    model,
    generate() {
      throw new ProviderError('It is down. Try later.', { kind: 'server', provider, model });
    },
  });
}

function tracked(llm: LLM, tracker: CostTracker, options?: TrackCostOptions): LLM {
  return wrap(llm, trackCost(tracker, options));
}

async function readAll(stream: GenerationStream): Promise<string> {
  let text = '';
  for await (const piece of stream.textStream) text += piece;
  return text;
}

describe('trackCost', () => {
  test('records a call once, in the scope where it was started, with its attributes', async () => {
    const tracker = newTracker();
    const llm = tracked(answering(), tracker, { scope: ({ id }) => `llm:${id}` });
    const generation = await tracker.scope('pipeline:1', { attributes: { tenant: 't' } }, (pipeline) =>
      tracker.scope('step:answer', async () => {
        const answer = await llm.generate('hello', { attributes: { userId: 'u' } });
        expect(pipeline.costUsd).toBe(0.0035);
        return answer;
      }),
    );
    expect(tracker.recent).toMatchObject([
      {
        attemptId: generation.usage.attemptId,
        modelId: 'gpt-4o',
        costUsd: 0.0035,
        estimated: false,
        scopePath: ['pipeline:1', 'step:answer', 'llm:gpt-4o'],
        attributes: { tenant: 't', userId: 'u' },
      },
    ]);
    expect(tracker.summary().byScope).toEqual({
      'pipeline:1': 0.0035,
      'step:answer': 0.0035,
      'llm:gpt-4o': 0.0035,
    });
  });

  test('books a call once that is also recorded by hand', async () => {
    const tracker = newTracker();
    const llm = tracked(answering(), tracker);
    const record = await tracker.scope('by hand', async () => {
      const generation = await tracker.scope('inner', () => llm.generate('hello'));
      return tracker.record(llm.id, generation.usage);
    });
    expect(record.scopePath).toEqual(['by hand', 'inner']);
    expect(tracker.summary().calls).toBe(1);
  });

  test('twice with one tracker books once, innermost first; two trackers book each', async () => {
    const [one, two] = [newTracker(), newTracker()];
    const told = vi.fn();
    const llm = wrap(
      answering(),
      trackCost(one, { scope: 'outer' }),
      trackCost(two),
      trackCost(one, { scope: 'inner' }),
    );
    await llm.generate('hello', { onAttempt: told });
    expect(one.summary()).toMatchObject({ calls: 1, byScope: { inner: 0.0035 } });
    expect(two.summary().calls).toBe(1);
    expect(told).toHaveBeenCalledOnce();
  });

  test('asks the caller too before an attempt is sent', async () => {
    const tracker = newTracker();
    const onAttemptStart = vi.fn(() => {
      throw new RangeError('not now');
    });
    await expect(tracked(answering(), tracker).generate('hello', { onAttemptStart })).rejects.toThrow(
      'not now',
    );
    expect(onAttemptStart).toHaveBeenCalledWith(expect.objectContaining({ id: 'gpt-4o' }));
    expect(tracker.summary().calls).toBe(0);
  });

  test('books before the caller hears of the attempt', async () => {
    const tracker = newTracker();
    const costs: number[] = [];
    await tracked(answering(), tracker).generate('hello', { onAttempt: () => costs.push(tracker.totalUsd) });
    expect(costs).toEqual([0.0035]);
  });

  test('an answer that reports no attempts is not lost over a listener that throws', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockReturnValue();
    const tracker = newTracker();
    const { attempts: _, ...answer } = await answering().generate('hello');
    const silent = { ...answering(), generate: async () => answer as Generation };
    const onAttempt = () => {
      throw new Error('a listener of the caller');
    };
    expect(await tracked(silent, tracker).generate('hello', { onAttempt })).toMatchObject(answer);
    expect(tracker.summary().calls).toBe(1);
    expect(warned).toHaveBeenCalledOnce();
    warned.mockRestore();
  });

  test('refused and unsent attempts cost nothing and leave nothing', async () => {
    const tracker = newTracker();
    await expect(tracked(failing('gpt-4o', 'openai'), tracker).generate('hello')).rejects.toThrow(
      ProviderError,
    );
    const unsent = answeringAttempts([{ outcome: 'unsent' }, { outcome: 'refused' }], async () => {
      throw new ProviderError('It is down.', { kind: 'connection', provider: 'openai', model: 'gpt-4o' });
    });
    await expect(tracked(unsent, tracker).generate('hello')).rejects.toThrow(ProviderError);
    expect(tracker.summary().calls).toBe(0);
  });

  test('an aborted call is booked as estimated', async () => {
    const tracker = newTracker();
    const abort = new AbortController();
    const llm = tracked(hanging(), tracker);
    const call = tracker.scope('s', () => llm.generate('hello', { signal: abort.signal }));
    await nextTurn();
    abort.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
    expect(tracker.recent).toMatchObject([
      { estimated: true, scopePath: ['s'], usage: { source: 'estimated' } },
    ]);
  });

  test('an attempt that is ended from elsewhere is booked where it was started', async () => {
    const tracker = newTracker();
    const caseName = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const subscriber = (message: unknown): void =>
      void seen.push([caseName.getStore(), (message as CostRecord).scopePath]);
    channel('synapsekit:cost').subscribe(subscriber);
    const abort = new AbortController();
    const llm = endedByAbort();
    const call = caseName.run('mine', () =>
      tracker.scope('mine', () => tracked(llm, tracker).generate('hello', { signal: abort.signal })),
    );
    caseName.run('other', () => tracker.scope('other', () => abort.abort(new Error('enough'))));
    await expect(call).rejects.toThrow('enough');
    channel('synapsekit:cost').unsubscribe(subscriber);
    expect(seen).toEqual([['mine', ['mine']]]);
  });

  test('every attempt of a retried call counts, whether the retry is inside or outside', async () => {
    const tracker = newTracker();
    const inside = answeringAttempts([
      { outcome: 'partial', usage: { inputTokens: 1_000, outputTokens: 10, source: 'estimated' } },
      { outcome: 'refused' },
      { outcome: 'unanswered', usage: { inputTokens: 1_000, outputTokens: 0 } },
      { outcome: 'served', usage },
    ]);
    const llm = tracked(inside, tracker);
    await llm.generate('hello');
    expect(tracker.recent.map(({ costUsd, estimated }) => [costUsd, estimated])).toEqual([
      [0.0026, true],
      [0.0025, true],
      [0.0035, false],
    ]);
    await llm.generate('hello');
    expect(tracker.summary()).toMatchObject({ calls: 6, estimatedCalls: 4 });
    expect(tracker.totalUsd).toBe(0.0172);
  });

  test('fallbacks inside are booked under the model that was really asked', async () => {
    const tracker = newTracker();
    const candidates = [failing('gpt-4o', 'openai'), answering('llama-3.1-8b-instant', 'groq')];
    const chain: LLM = {
      provider: 'chain',
      model: 'chain',
      id: 'chain',
      candidates: () => candidates,
      generate: (prompt, options) => failoverGenerate(candidates, prompt, options),
      stream: (prompt, options) => failoverStream(candidates, prompt, options),
    };
    const llm = tracked(chain, tracker, { scope: ({ id, provider, model }) => `${provider}|${model}|${id}` });
    await llm.generate('hello');
    await readAll(llm.stream('hello'));
    expect(tracker.summary()).toMatchObject({
      calls: 2,
      byModel: { 'groq/llama-3.1-8b-instant': 0.000116 },
      byScope: { 'groq|llama-3.1-8b-instant|groq/llama-3.1-8b-instant': 0.000116 },
    });
  });
});

describe('trackCost on streams', () => {
  test('books in the scope that created the stream, whoever reads it', async () => {
    const tracker = newTracker();
    const llm = tracked(answering(), tracker);
    const stream = tracker.scope('asked', () => llm.stream('hello'));
    expect(await tracker.scope('read', () => readAll(stream))).toBe('one two three');
    expect((await stream.result).text).toBe('one two three');
    const unread = tracker.scope('asked too', () => llm.stream('hello'));
    await unread.result;
    expect(tracker.recent.map(({ scopePath }) => scopePath)).toEqual([['asked'], ['asked too']]);
    expect(tracker.recent.every(({ estimated }) => !estimated)).toBe(true);
  });

  test('left early, it costs what came until then, as estimated', async () => {
    const tracker = newTracker();
    const stream = tracker.scope('s', () => tracked(answering(), tracker).stream('hello'));
    for await (const _ of stream) break;
    expect((await stream.result).finishReason).toBe('aborted');
    expect(tracker.recent).toMatchObject([{ estimated: true, scopePath: ['s'], usage: { outputTokens: 1 } }]);
  });

  test('never read, it costs nothing', async () => {
    const tracker = newTracker();
    const stream = tracked(answering(), tracker).stream('hello');
    await stream[Symbol.asyncIterator]().return?.();
    await nextTurn();
    expect(tracker.summary().calls).toBe(0);
  });

  test('aborted while nobody reads, it is booked all the same', async () => {
    const tracker = newTracker();
    const abort = new AbortController();
    const stream = tracker.scope('s', () =>
      tracked(answering(), tracker).stream('hello', { signal: abort.signal }),
    );
    await stream[Symbol.asyncIterator]().next();
    abort.abort(new Error('enough'));
    await expect(stream.result).rejects.toThrow('enough');
    expect(tracker.recent).toMatchObject([{ estimated: true, scopePath: ['s'] }]);
  });

  test('cut by the provider, it is booked as estimated', async () => {
    const tracker = newTracker();
    const llm = defineLLM({
      provider: 'openai',
      model: 'gpt-4o',
      generate: () => 'x',
      async *stream() {
        yield 'some words';
        throw new ProviderError('It broke off.', { kind: 'truncated', provider: 'openai', model: 'gpt-4o' });
      },
    });
    await expect(readAll(tracked(llm, tracker).stream('hello'))).rejects.toThrow(ProviderError);
    expect(tracker.recent).toMatchObject([{ estimated: true, usage: { outputTokens: 3 } }]);
  });
});

describe('a model that reports no attempts', () => {
  test('is booked by the attempts of its answer, once each', async () => {
    const tracker = newTracker();
    const told: string[] = [];
    const attempts: Attempt[] = [
      attempt('a1', { outcome: 'partial', usage: { inputTokens: 10, outputTokens: 1, source: 'estimated' } }),
      attempt('a2', { outcome: 'served', usage, provider: 'groq', model: 'llama-3.1-8b-instant' }),
    ];
    const llm = handwritten({ attempts, usage: { ...usage, attemptId: 'a2' } });
    await tracked(llm, tracker).generate('hello', { onAttempt: ({ attemptId }) => told.push(attemptId) });
    expect(tracker.recent.map(({ attemptId, modelId }) => [attemptId, modelId])).toEqual([
      ['a1', 'gpt-4o'],
      ['a2', 'groq/llama-3.1-8b-instant'],
    ]);
    expect(told).toEqual(['a1', 'a2']);
  });

  test('is booked by its usage, and its answer says under which id', async () => {
    const tracker = newTracker();
    const told: Attempt[] = [];
    const llm = tracked(handwritten({ usage }), tracker, { scope: 'llm' });
    const generation = await tracker.scope('s', () =>
      llm.generate('hello', { onAttempt: (each) => told.push(each) }),
    );
    const { attemptId } = generation.usage;
    expect(tracker.recent).toMatchObject([{ attemptId, scopePath: ['s', 'llm'], costUsd: 0.0035 }]);
    expect(generation.attempts).toEqual(told);
    tracker.record('gpt-4o', generation.usage);
    expect(tracker.summary().calls).toBe(1);
  });

  test('is booked in streams too, also when they are left', async () => {
    const tracker = newTracker();
    const llm = tracked(handwritten({ usage }), tracker);
    await tracker.scope('read', () => readAll(llm.stream('hello')));
    const left = tracker.scope('left', () => llm.stream('hello'));
    for await (const _ of left) break;
    await left.result;
    expect(tracker.recent.map(({ scopePath, estimated }) => [scopePath, estimated])).toEqual([
      [['read'], false],
      [['left'], true],
    ]);
  });

  test('an answer that cost nothing is not booked', async () => {
    const tracker = newTracker();
    await tracked(handwritten({ usage: { inputTokens: 0, outputTokens: 0 } }), tracker).generate('hello');
    expect(tracker.summary().calls).toBe(0);
  });

  test('nothing is booked twice, however long ago its attempt was told', async () => {
    const tracker = newTracker({ maxRememberedAttempts: 1 });
    const busy = answeringAttempts(
      [
        { outcome: 'partial', usage },
        { outcome: 'served', usage },
      ],
      async () => {
        for (let index = 0; index < 10; index++)
          tracker.record('gpt-4o', { ...usage, attemptId: `other ${index}` });
      },
    );
    await tracked(busy, tracker).generate('hello');
    expect(tracker.summary().calls).toBe(12);
  });
});

describe('what a provider sends cannot lose a record', () => {
  test.for<[string, Partial<Usage> | undefined, Partial<CostRecord>]>([
    ['no usage', undefined, { unpriced: true, estimated: true }],
    ['a negative count', { inputTokens: -5, outputTokens: 10 }, { unpriced: true, estimated: true }],
    ['NaN', { inputTokens: 5, outputTokens: Number.NaN }, { unpriced: true, estimated: true }],
    [
      'null',
      { inputTokens: null as unknown as number, outputTokens: 1 },
      { unpriced: true, estimated: true },
    ],
    [
      'more cached than there are',
      { inputTokens: 10, cachedInputTokens: 1_000, outputTokens: 0 },
      { unpriced: false, estimated: true, costUsd: 0.00125 },
    ],
    [
      'more reasoning than output',
      { inputTokens: 0, outputTokens: 1, reasoningTokens: 100 },
      { unpriced: false, estimated: true, costUsd: 0.001 },
    ],
    [
      'a part that is none',
      { inputTokens: 1_000, cachedInputTokens: -1, outputTokens: 0 },
      { unpriced: false, estimated: true, costUsd: 0.0025 },
    ],
    [
      'names that are none',
      { inputTokens: 1_000, outputTokens: 0, servedModel: 7 as unknown as string, serviceTier: '' },
      { unpriced: false, estimated: false, costUsd: 0.0025 },
    ],
  ])('%s', async ([, given, expected]) => {
    const onWarning = vi.fn();
    const tracker = newTracker({ onWarning });
    const llm = tracked(answeringAttempts([{ outcome: 'served', usage: given as Usage }]), tracker);
    await llm.generate('hello');
    await llm.generate('hello');
    expect(tracker.recent).toHaveLength(2);
    expect(tracker.recent[0]).toMatchObject(expected);
    expect(
      Object.values(tracker.recent[0]?.usage ?? {}).every((value) => typeof value !== 'number' || value >= 0),
    ).toBe(true);
    expect(onWarning.mock.calls.map(([{ code }]) => code)).toEqual(
      expected.estimated === true ? ['SYNAPSEKIT_INVALID_USAGE'] : [],
    );
  });

  test('a count repaired and then given right is corrected', async () => {
    const tracker = newTracker();
    tracker.recordAttempt(attempt('a', { outcome: 'served', usage: { inputTokens: -1, outputTokens: 0 } }));
    tracker.recordAttempt(attempt('a', { outcome: 'served', usage }));
    expect(tracker.summary()).toMatchObject({
      totalUsd: 0.0035,
      calls: 1,
      unpricedCalls: 0,
      estimatedCalls: 0,
    });
  });

  test('a partial answer that the provider counted itself is not estimated', () => {
    const tracker = newTracker();
    const record = tracker.recordAttempt(
      attempt('a', { outcome: 'partial', usage: { ...usage, source: 'provider' } }),
    );
    expect(record).toMatchObject({ estimated: false, costUsd: 0.0035 });
  });

  test('an attempt without names is booked', () => {
    const record = newTracker().recordAttempt({ outcome: 'served', usage, latencyMs: 1 } as Attempt);
    expect(record).toMatchObject({ provider: 'unknown', model: 'unknown', unpriced: true, usage });
  });
});

describe('unknown prices', () => {
  test('under "throw" refuse the call before it is sent', async () => {
    const tracker = newTracker({ onUnknownPrice: 'throw' });
    const sent = vi.fn(() => 'x');
    const unknown = defineLLM({ provider: 'acme', model: 'ultra', generate: sent });
    const llm = tracked(unknown, tracker);
    await expect(llm.generate('hello')).rejects.toThrow(UnknownPriceError);
    await expect(readAll(llm.stream('hello'))).rejects.toThrow(UnknownPriceError);
    const chain = (...candidates: readonly LLM[]): LLM => ({
      ...unknown,
      candidates: () => candidates,
      generate: (prompt, options) => failoverGenerate(candidates, prompt, options),
    });
    await expect(tracked(chain(unknown), tracker).generate('hello')).rejects.toThrow(/acme\/ultra/);
    const served = await tracked(
      chain(unknown, answering()),
      newTracker({ onUnknownPrice: 'throw' }),
    ).generate('hello');
    expect(served.failures).toMatchObject([{ id: 'acme/ultra', error: expect.any(UnknownPriceError) }]);
    expect(sent).not.toHaveBeenCalled();
    expect(tracker.summary().calls).toBe(0);
  });

  test('under "throw" refuse a model that asks nobody before it sends', async () => {
    const generate = vi.fn(handwritten({}).generate);
    const llm: LLM = { ...handwritten({}), provider: 'acme', model: 'ultra', id: 'acme/ultra', generate };
    const tracker = newTracker({ onUnknownPrice: 'throw' });
    await expect(tracked(llm, tracker).generate('hello')).rejects.toThrow(UnknownPriceError);
    expect(generate).not.toHaveBeenCalled();
  });

  test('never throw away an answer, under any policy', async () => {
    for (const onUnknownPrice of ['throw', 'warn', 'zero'] as const) {
      const tracker = newTracker({ onUnknownPrice });
      const other = answeringAttempts([
        { outcome: 'served', usage, provider: 'acme', model: 'ultra', id: 'acme/ultra' },
      ]);
      await expect(tracked(other, tracker).generate('hello')).resolves.toMatchObject({ text: 'x' });
      expect(tracker.recent).toMatchObject([{ unpriced: true, modelId: 'acme/ultra' }]);
    }
  });

  test('of a retired model are told before it fails', async () => {
    const retirement = { on: '2020-01-01', past: true, replacement: 'groq/new' };
    const prices = flatPrices([{ provider: 'groq', model: 'old', input: 1n, output: 1n, retirement }]);
    const onWarning = vi.fn();
    const llm = tracked(failing('old', 'groq'), newTracker({ prices, onWarning }));
    await expect(llm.generate('hello')).rejects.toThrow(ProviderError);
    expect(onWarning).toHaveBeenCalledWith(expect.objectContaining({ code: 'SYNAPSEKIT_MODEL_RETIRED' }));
  });
});

describe('options', () => {
  test('a scope function that fails costs the scope, not the record', async () => {
    const onWarning = vi.fn();
    const tracker = newTracker({ onWarning });
    const scopes = [
      () => {
        throw new Error('secret');
      },
      () => '',
      () => 7 as unknown as string,
    ];
    for (const scope of scopes) {
      await tracker.scope('s', () => tracked(answering(), tracker, { scope }).generate('hello'));
    }
    expect(tracker.recent.map(({ scopePath }) => scopePath)).toEqual([['s'], ['s'], ['s']]);
    expect(onWarning).toHaveBeenCalledOnce();
    expect(onWarning.mock.calls[0]?.[0]).toMatchObject({ code: 'SYNAPSEKIT_INVALID_SCOPE' });
    expect(onWarning.mock.calls[0]?.[0].message).not.toContain('secret');
  });

  test('wrong ones are refused', async () => {
    const tracker = newTracker();
    expect(() => trackCost(tracker, { scope: '' })).toThrow(ConfigError);
    expect(() => trackCost(tracker, { scope: 7 as unknown as string })).toThrow(ConfigError);
    expect(() => trackCost(tracker, { scopes: 'x' } as object)).toThrow(/scopes/);
    const attributes = { nested: {} as string };
    const llm = tracked(answering(), tracker);
    await expect(llm.generate('hello', { attributes })).rejects.toThrow(ConfigError);
    await expect(readAll(llm.stream('hello', { attributes }))).rejects.toThrow(ConfigError);
    expect(tracker.summary().calls).toBe(0);
  });

  test('the model around it can do what the model within can', () => {
    const inner: LLM = {
      ...answering(),
      capabilities: { contextWindow: 9 },
      availability: () => ({ available: true }),
    };
    const llm = tracked(inner, newTracker());
    expect(llm).toMatchObject({
      provider: 'openai',
      model: 'gpt-4o',
      id: 'gpt-4o',
      capabilities: { contextWindow: 9 },
    });
    expect(llm.availability?.()).toEqual({ available: true });
    expectTypeOf(trackCost).parameter(0).toEqualTypeOf<CostTracker>();
  });
});

test('1,000 interleaved calls, read, left, aborted and failing, are booked once each in their own scope', async () => {
  const tracker = newTracker({ maxRecent: 5_000 });
  const random = seededRandom(7);
  const llm = tracked(answering(), tracker, { scope: ({ id }) => `llm:${id}` });
  const broken = tracked(failing('gpt-4o', 'openai'), tracker);
  const call = async (index: number): Promise<number> => {
    const kind = Math.floor(random() * 6);
    if (kind === 0) return llm.generate('hello').then(() => 1);
    if (kind === 1) return readAll(llm.stream('hello')).then(() => 1);
    if (kind === 2)
      return broken.generate('hello').then(
        () => 1,
        () => 0,
      );
    const abort = new AbortController();
    const stream = llm.stream('hello', { signal: abort.signal });
    if (kind === 3) {
      for await (const _ of stream) break;
      return 1;
    }
    if (kind === 4) {
      await stream[Symbol.asyncIterator]().next();
      abort.abort(new Error(`enough ${index}`));
      return stream.result.then(
        () => 1,
        () => 1,
      );
    }
    return stream.result.then(() => 1);
  };
  const expected = await Promise.all(
    Array.from({ length: 1_000 }, async (_, index) => {
      const name = `request:${index}`;
      return [name, await tracker.scope(name, () => call(index))] as const;
    }),
  );
  const counts = new Map<string, number>();
  for (const { scopePath } of tracker.recent) {
    expect(scopePath).toHaveLength(2);
    counts.set(scopePath[0] ?? '', (counts.get(scopePath[0] ?? '') ?? 0) + 1);
  }
  for (const [name, calls] of expected) expect(counts.get(name) ?? 0).toBe(calls);
  expect(tracker.summary().calls).toBe(expected.reduce((sum, [, calls]) => sum + calls, 0));
});

/** An attempt of gpt-4o. */
function attempt(attemptId: string, facts: Partial<Attempt>): Attempt {
  const { provider = 'openai', model = 'gpt-4o' } = facts;
  const id = provider === 'openai' ? model : `${provider}/${model}`;
  return { attemptId, provider, model, id, outcome: 'served', latencyMs: 1, ...facts };
}

function generationOf(facts: Partial<Generation>): Generation {
  return {
    text: 'x',
    toolCalls: [],
    finishReason: 'stop',
    usage,
    attempts: [],
    provider: 'openai',
    model: 'gpt-4o',
    servedBy: 'gpt-4o',
    servedModel: 'gpt-4o',
    latencyMs: 1,
    failures: [],
    ...facts,
  };
}

/** A model that says nothing of its attempts. */
function handwritten(facts: Partial<Generation>): LLM {
  return {
    provider: 'openai',
    model: 'gpt-4o',
    id: 'gpt-4o',
    generate: async () => generationOf(facts),
    stream: (_prompt, options = {}) =>
      createGenerationStream(async function* (context) {
        context.partial(generationOf({ ...facts, finishReason: 'aborted' }));
        yield { type: 'text', text: 'x' };
        yield { type: 'text', text: 'y' };
        return generationOf(facts);
      }, options),
  };
}

/** A model that makes several attempts in one call, and reports each. */
function answeringAttempts(
  ends: readonly Partial<Attempt>[],
  before: () => Promise<void> = async () => {},
): LLM {
  let made = 0;
  return {
    ...handwritten({}),
    async generate(_prompt, { onAttempt }: CallOptions = {}) {
      const attempts = ends.map((facts) => attempt(`made ${made++}`, facts));
      for (const each of attempts) onAttempt?.(each);
      await before();
      return generationOf({ attempts: attempts.filter(({ usage }) => usage !== undefined) });
    },
  };
}

/** A model whose attempt ends inside the abort event: in the async context of whoever aborts. */
function endedByAbort(): LLM {
  const llm = handwritten({});
  return {
    ...llm,
    generate(_prompt, options = {}) {
      const running = startAttempt({ llm, options, stream: false });
      return new Promise((_, reject) => {
        options.signal?.addEventListener('abort', () => {
          running.end({ outcome: 'unanswered', usage: { ...usage, source: 'estimated' } });
          reject(options.signal?.reason);
        });
      });
    },
  };
}
