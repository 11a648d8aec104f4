import {
  type Attempt,
  CallTimeoutError,
  defineLLM,
  type Generation,
  type LLM,
  ProviderError,
  type StreamEvent,
} from '@synapsekit/core';
import { describe, expect, test, vi } from 'vitest';
import { cascadeOf, doubt, failing, model, outage, stuck } from '../../test/cascade-world.ts';
import { passes } from '../verify/passes.ts';
import type { CascadeRouterOptions } from './cascade-options.ts';
import type { CascadeGeneration, CascadeRouter } from './cascade-router.ts';

describe('streams', () => {
  const read = async (
    router: CascadeRouter,
    options = {},
  ): Promise<{ readonly events: StreamEvent[]; readonly generation: CascadeGeneration }> => {
    const stream = router.stream('q', options);
    const events: StreamEvent[] = [];
    for await (const event of stream) events.push(event);
    return { events, generation: await stream.result };
  };
  const textOf = (events: readonly StreamEvent[]): string =>
    events.map((event) => (event.type === 'text' ? event.text : '')).join('');

  test('holds the cheap answer back, then hands it out as it came', async () => {
    const looked: string[] = [];
    const router = cascadeOf({
      tiers: [model('cheap', 'a cheap answer'), model('strong')],
      verify: [passes(({ text }) => looked.push(text))],
    });
    const stream = router.stream('q', { includeUsage: true });
    const first = await stream[Symbol.asyncIterator]().next();
    expect(looked).toEqual(['a cheap answer']);
    expect(first.value).toEqual({ type: 'text', text: 'a c' });
    const { events, generation } = await read(router, { includeUsage: true });
    expect(textOf(events)).toBe('a cheap answer');
    expect(events.map(({ type }) => type).slice(-2)).toEqual(['usage', 'finish']);
    expect(generation.route).toMatchObject({ outcome: 'accepted', costUsd: 15e-12 });
  });

  test('streams the strong answer as it comes, without a trace of the cheap one', async () => {
    const { events, generation } = await read(
      cascadeOf({ tiers: [model('cheap', 'bad'), model('strong', 'a strong answer')] }),
    );
    expect(textOf(events)).toBe('a strong answer');
    expect(events.filter(({ type }) => type === 'finish')).toHaveLength(1);
    expect(generation.route).toMatchObject({ outcome: 'escalated', costUsd: 30e-12 });
  });

  test('hands out the doubtful answer when the strong model fails before it says anything', async () => {
    const { events, generation } = await read(
      cascadeOf({ tiers: [model('cheap'), failing('strong', outage)], verify: [doubt] }),
    );
    expect(textOf(events)).toBe('cheap');
    expect(generation.route.outcome).toBe('unreachable');
  });

  test('a cheap answer that breaks off was seen by nobody: the next model of its tier starts over', async () => {
    const cut = new ProviderError('cut', { kind: 'truncated', provider: 'test', model: 'm', emitted: true });
    const slow = new CallTimeoutError('slow', { phase: 'idle', timeoutMs: 1, emitted: true });
    const breaks = (error: unknown): LLM =>
      defineLLM({
        provider: 'test',
        model: 'breaks',
        generate: () => 'x',
        stream: async function* () {
          yield 'half ';
          throw error;
        },
      });
    const same = await read(cascadeOf({ tiers: [[breaks(cut), model('cheap')], model('strong')] }));
    expect(textOf(same.events)).toBe('cheap');
    expect(same.generation.route).toMatchObject({ outcome: 'accepted', failures: [{ id: 'test/breaks' }] });
    const next = await read(cascadeOf({ tiers: [breaks(slow), model('strong')] }));
    expect(textOf(next.events)).toBe('strong');
    expect(next.generation.route).toMatchObject({
      outcome: 'escalated',
      failures: [{ error: { emitted: false } }],
    });
    expect(next.generation.route.costs.map(({ attempt }) => attempt.outcome)).toEqual(['partial', 'served']);
  });

  test('fails when it fails later', async () => {
    const breaks = defineLLM({
      provider: 'test',
      model: 'breaks',
      generate: () => 'x',
      stream: async function* () {
        yield 'half ';
        throw outage;
      },
    });
    const stream = cascadeOf({ tiers: [model('cheap'), breaks], verify: [doubt] }).stream('q');
    const seen: string[] = [];
    await expect(
      (async () => {
        for await (const text of stream.textStream) seen.push(text);
      })(),
    ).rejects.toBe(outage);
    expect(seen).toEqual(['half ']);
    await expect(stream.result).rejects.toBe(outage);
  });

  test.each([
    ['cheap', [model('cheap', 'a cheap answer'), model('strong')]],
    ['strong', [model('cheap', 'bad'), model('strong', 'a strong answer')]],
  ])('a consumer who leaves the %s answer has what came', async (name, tiers) => {
    const attempts: Attempt[] = [];
    const stream = cascadeOf({ tiers }).stream('q', { onAttempt: (attempt) => attempts.push(attempt) });
    for await (const _ of stream.textStream) break;
    const { text, finishReason, route } = await stream.result;
    expect(text).toBe(name === 'cheap' ? 'a c' : 'a s');
    expect(finishReason).toBe('aborted');
    expect(route.servedBy).toBe(`test/${name}`);
    expect(attempts).toHaveLength(tiers.indexOf(tiers[name === 'cheap' ? 0 : 1] as LLM) + 1);
  });

  test.each<[string, Partial<CascadeRouterOptions>]>([
    ['while the cheap model is at work', { tiers: [stuck('cheap'), model('strong')] }],
    ['while its answer is looked at', { verify: [{ name: 'slow', verify: () => new Promise(() => {}) }] }],
    ['while the strong model is at work', { tiers: [model('cheap', 'bad'), stuck('strong')] }],
  ])('a consumer may leave %s: all ends at once, and is settled once', async (_, options) => {
    const settled = vi.fn();
    const attempts: Attempt[] = [];
    const router = cascadeOf({ ...options, policies: [{ name: 'count', settle: settled }] });
    const stream = router.stream('q', { onAttempt: (attempt) => attempts.push(attempt) });
    const events = stream[Symbol.asyncIterator]();
    const waiting = events.next();
    await new Promise((resolve) => setImmediate(resolve));
    await events.return?.();
    expect(await waiting).toMatchObject({ done: true });
    const result: unknown = await stream.result.catch((error: unknown) => error);
    expect(
      (result as Generation).finishReason === 'aborted' ||
        (result as { readonly code?: string }).code === 'stream-abandoned',
    ).toBe(true);
    expect(settled).toHaveBeenCalledTimes(1);
    expect(attempts.length).toBeGreaterThan(0);
  });

  test('scopes stay open round each step', async () => {
    const log: string[] = [];
    const router = cascadeOf({
      tiers: [model('cheap', 'bad'), model('strong')],
      scope: async (step, fn) => {
        log.push(`+${step}`);
        const result = await fn();
        log.push(`-${step}`);
        return result;
      },
    });
    await router.generate('q');
    await read(router);
    await new Promise((resolve) => setImmediate(resolve));
    const once = ['+answer', '-answer', '+verify', '-verify', '+escalate', '-escalate'];
    expect(log.slice(0, 6)).toEqual(once);
    expect(log.slice(6).toSorted()).toEqual(once.toSorted());
  });
});
