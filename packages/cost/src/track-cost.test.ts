import { AsyncLocalStorage } from 'node:async_hooks';
import { channel } from 'node:diagnostics_channel';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  ConfigError,
  type CostRecord,
  defineLLM,
  failoverGenerate,
  failoverStream,
  type Generation,
  type LLM,
  ProviderError,
  startAttempt,
  UnknownPriceError,
  wrap,
} from '@synapsekit/core';
import { seededRandom } from '@synapsekit/testing';
import { describe, expect, expectTypeOf, test, vi } from 'vitest';
import { flatPrices } from '../test/flat-prices.ts';
import {
  answering,
  answeringAttempts,
  failing,
  handwritten,
  hanging,
  readAll,
  silentTracker,
  tracked,
  usage,
} from '../test/tracked-models.ts';
import type { CostTracker } from './cost-tracker.ts';
import { trackCost } from './track-cost.ts';

describe('trackCost', () => {
  test('records a call once, in the scope where it was started, with its attributes', async () => {
    const tracker = silentTracker();
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
    const tracker = silentTracker();
    const llm = tracked(answering(), tracker);
    const record = await tracker.scope('by hand', async () => {
      const generation = await tracker.scope('inner', () => llm.generate('hello'));
      return tracker.record(llm.id, generation.usage);
    });
    expect(record.scopePath).toEqual(['by hand', 'inner']);
    expect(tracker.summary().calls).toBe(1);
  });

  test('twice with one tracker books once, innermost first; two trackers book each', async () => {
    const [one, two] = [silentTracker(), silentTracker()];
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
    const tracker = silentTracker();
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
    const tracker = silentTracker();
    const costs: number[] = [];
    await tracked(answering(), tracker).generate('hello', { onAttempt: () => costs.push(tracker.totalUsd) });
    expect(costs).toEqual([0.0035]);
  });

  test('an answer that reports no attempts is not lost over a listener that throws', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockReturnValue();
    const tracker = silentTracker();
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
    const tracker = silentTracker();
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
    const tracker = silentTracker();
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
    const tracker = silentTracker();
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
    const tracker = silentTracker();
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
    const tracker = silentTracker();
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

describe('unknown prices', () => {
  test('under "throw" refuse the call before it is sent', async () => {
    const tracker = silentTracker({ onUnknownPrice: 'throw' });
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
      silentTracker({ onUnknownPrice: 'throw' }),
    ).generate('hello');
    expect(served.failures).toMatchObject([{ id: 'acme/ultra', error: expect.any(UnknownPriceError) }]);
    expect(sent).not.toHaveBeenCalled();
    expect(tracker.summary().calls).toBe(0);
  });

  test('under "throw" refuse a model that asks nobody before it sends', async () => {
    const generate = vi.fn(handwritten({}).generate);
    const llm: LLM = { ...handwritten({}), provider: 'acme', model: 'ultra', id: 'acme/ultra', generate };
    const tracker = silentTracker({ onUnknownPrice: 'throw' });
    await expect(tracked(llm, tracker).generate('hello')).rejects.toThrow(UnknownPriceError);
    await expect(generate).not.toHaveBeenCalled();
  });

  test('never throw away an answer, under any policy', async () => {
    for (const onUnknownPrice of ['throw', 'warn', 'zero'] as const) {
      const tracker = silentTracker({ onUnknownPrice });
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
    const llm = tracked(failing('old', 'groq'), silentTracker({ prices, onWarning }));
    await expect(llm.generate('hello')).rejects.toThrow(ProviderError);
    expect(onWarning).toHaveBeenCalledWith(expect.objectContaining({ code: 'SYNAPSEKIT_MODEL_RETIRED' }));
  });
});

describe('options', () => {
  test('a scope function that fails costs the scope, not the record', async () => {
    const onWarning = vi.fn();
    const tracker = silentTracker({ onWarning });
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
    const tracker = silentTracker();
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
    const llm = tracked(inner, silentTracker());
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
  const tracker = silentTracker({ maxRecent: 5_000 });
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
