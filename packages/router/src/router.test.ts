import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Attempt,
  BudgetExceededError,
  CircuitBreakerOpen,
  defineLLM,
  type LLM,
  type PriceLookup,
  ProviderError,
  type StreamEvent,
} from '@synapsekit/core';
import { describe, expect, expectTypeOf, test } from 'vitest';
import type { Complexity } from './complexity.ts';
import { LLMClassifier } from './llm-classifier.ts';
import type { RoutedGeneration } from './routed.ts';
import { Router, type RouterOptions } from './router.ts';

const usage = { inputTokens: 10, outputTokens: 5 };
const model = (name: string): LLM =>
  defineLLM({ provider: 'test', model: name, generate: () => ({ text: `${name} answers`, usage }) });
const failing = (name: string, error: unknown): LLM =>
  defineLLM({ provider: 'test', model: name, generate: () => Promise.reject(error) });
const open = (llm: LLM): LLM => ({
  ...llm,
  generate: () => Promise.reject(new Error('must not be asked')),
  availability: () => ({
    available: false,
    retryAfterMs: 500,
    error: new CircuitBreakerOpen('open', { breaker: llm.id, state: 'OPEN', retryAfterMs: 500 }),
  }),
});
const outage = new ProviderError('down', { kind: 'server', provider: 'test', model: 'm' });

/** Classifies by the first word of the query. */
const classifierModel = defineLLM({
  provider: 'test',
  model: 'classifier',
  generate: (prompt) => ({
    text: /Query: (\w+)/.exec(String(prompt))?.[1] ?? '',
    usage: { inputTokens: 80, outputTokens: 1 },
  }),
});

function routerOf(
  routes: Partial<RouterOptions['routes']> = {},
  options: Partial<RouterOptions> = {},
): Router {
  return new Router({
    classifier: new LLMClassifier({ llm: classifierModel }),
    routes: { simple: model('small'), medium: model('middle'), complex: model('large'), ...routes },
    ...options,
  });
}

/** One pico-dollar a token; nothing for the model called "free", and no price at all for "secret". */
const prices: PriceLookup = {
  find: ({ model: id }) =>
    id === 'secret'
      ? undefined
      : {
          provider: 'test',
          model: id,
          source: 'test',
          costPico: ({ inputTokens, outputTokens }) => BigInt(inputTokens + outputTokens),
          maxCostPico: ({ inputTokens, outputTokens }) => BigInt(inputTokens + outputTokens),
        },
};

describe('Router', () => {
  test.each([
    ['simple', 'small'],
    ['medium', 'middle'],
    ['complex', 'large'],
    ['gibberish', 'middle'],
  ])('sends a %s query to %s', async (query, served) => {
    const { text, route } = await routerOf().generate(query);
    expect(text).toBe(`${served} answers`);
    expect(route).toMatchObject({
      classifiedBy: 'model',
      servedBy: `test/${served}`,
      planned: [`test/${served}`],
      failures: [],
    });
  });

  test('skips an open circuit without a call, and says so', async () => {
    const { route } = await routerOf({ simple: [open(model('small')), model('backup')] }).generate('simple');
    expect(route.servedBy).toBe('test/backup');
    expect(route.failures).toMatchObject([
      { id: 'test/small', outcome: 'skipped', error: { code: 'circuit-open' } },
    ]);
  });

  test('falls over when the call itself fails, and says so', async () => {
    const told: string[] = [];
    const router = routerOf(
      { complex: [failing('large', outage), model('backup')] },
      { onFailure: ({ id, outcome }) => told.push(`${id} ${outcome}`) },
    );
    const { route, failures } = await router.generate('complex');
    expect(route.servedBy).toBe('test/backup');
    expect(failures).toEqual([{ id: 'test/large', outcome: 'failed', error: outage }]);
    expect(told).toEqual(['test/large failed']);
  });

  test('a bad request and an abort go nowhere', async () => {
    const bad = new ProviderError('bad', { kind: 'bad-request', provider: 'test', model: 'm' });
    await expect(routerOf({ simple: [failing('a', bad), model('b')] }).generate('simple')).rejects.toBe(bad);
    await expect(routerOf().generate('simple', { signal: AbortSignal.abort('no') })).rejects.toBe('no');
  });

  test('everybody down is one error that names all', async () => {
    const router = routerOf({ simple: [failing('a', outage), open(model('b'))] });
    await expect(router.generate('simple')).rejects.toMatchObject({
      code: 'all-providers-failed',
      errors: [{ id: 'test/a' }, { id: 'test/b' }],
      retryAfterMs: 500,
    });
  });

  test('answers also when its classifier is down or refused by a budget', async () => {
    const refusal = new BudgetExceededError('over', {
      guard: 'g',
      limit: 'daily',
      limitUsd: '1',
      committedUsd: '1',
      heldUsd: '0',
      neededUsd: '0.1',
      fits: 'window',
    });
    const router = routerOf({}, { classifier: new LLMClassifier({ llm: failing('c', refusal) }) });
    const { route } = await router.generate('What is 2 + 2?');
    expect(route).toMatchObject({ complexity: 'simple', classifiedBy: 'local', classifierError: refusal });
  });

  test.each([
    ['rejects', () => Promise.reject(new Error('down')), 'down'],
    ['finds nonsense', async () => ({ complexity: 'constructor', source: 'local' }), 'must find one of'],
    ['finds nothing', async () => undefined, 'must find one of'],
  ])('goes by the length where a classifier %s', async (_, classify, message) => {
    const router = routerOf({}, { classifier: { classify: classify as never } });
    const { route } = await router.generate('What is 2 + 2?');
    expect(route).toMatchObject({ complexity: 'simple', classifiedBy: 'local' });
    expect(String(route.classifierError)).toContain(message);
  });

  test('an abort while a classifier that does not mind it is at work ends the call', async () => {
    const router = routerOf({}, { classifier: { classify: () => new Promise(() => {}) } });
    const controller = new AbortController();
    const call = router.generate('x', { signal: controller.signal });
    const stream = router.stream('x');
    const iterator = stream[Symbol.asyncIterator]();
    const waiting = iterator.next();
    controller.abort('enough');
    await expect(call).rejects.toBe('enough');
    await iterator.return?.();
    expect((await waiting).done).toBe(true);
    await expect(stream.result).rejects.toMatchObject({ code: 'stream-abandoned' });
  });

  test('tells every cost of both steps, and of failed attempts', async () => {
    const billedFailure: LLM = {
      ...model('flaky'),
      async generate(_, options) {
        const attempt: Attempt = {
          attemptId: 'lost',
          provider: 'test',
          model: 'flaky',
          id: 'test/flaky',
          outcome: 'unanswered',
          usage: { inputTokens: 7, outputTokens: 0, source: 'estimated', attemptId: 'lost' },
          latencyMs: 1,
        };
        options?.onAttempt?.(attempt);
        throw outage;
      },
    };
    const seen: string[] = [];
    const router = routerOf({ simple: [billedFailure, model('backup')] }, { prices });
    const { route, attempts } = await router.generate('simple', {
      onAttempt: ({ attemptId }) => seen.push(attemptId),
    });
    expect(route.costs.map(({ step, costUsdExact }) => [step, costUsdExact])).toEqual([
      ['classify', '0.000000000081'],
      ['answer', '0.000000000007'],
      ['answer', '0.000000000015'],
    ]);
    expect(route.costUsd).toBe(0.000000000103);
    expect(attempts.map(({ attemptId }) => attemptId)).toEqual(seen);
    expect(new Set(seen).size).toBe(3);
  });

  test('a cost that is not known is not zero', async () => {
    expect(
      (await routerOf({ simple: model('secret') }, { prices }).generate('simple')).route.costUsd,
    ).toBeUndefined();
    expect((await routerOf().generate('simple')).route.costs[0]?.costUsd).toBeUndefined();
  });

  test('an answer is not lost over counts that have no price', async () => {
    const garbage = { inputTokens: Number.NaN, outputTokens: 1 };
    const broken = defineLLM({
      provider: 'test',
      model: 'm',
      generate: () => ({ text: 'paid', usage: garbage }),
    });
    const { text, route } = await routerOf({ simple: broken }, { prices }).generate('simple');
    expect(text).toBe('paid');
    expect(route.costUsd).toBeUndefined();
  });

  test.each(['classify', 'answer'])('a scope that does not run the step "%s" is told so', async (skipped) => {
    const scope = async <T>(step: string, fn: () => Promise<T>): Promise<T> =>
      step === skipped ? (undefined as T) : fn();
    const router = routerOf({}, { scope });
    await expect(router.generate('simple')).rejects.toThrow(`did not run the step "${skipped}"`);
    await expect(router.stream('simple').result).rejects.toThrow(`did not run the step "${skipped}"`);
  });

  test('each step runs in its scope', async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const spy = (name: string, text: string): LLM =>
      defineLLM({
        provider: 'test',
        model: name,
        async generate() {
          await Promise.resolve();
          seen.push(`${name} in ${storage.getStore()}`);
          return text;
        },
      });
    const router = new Router({
      classifier: new LLMClassifier({ llm: spy('classifier', 'simple') }),
      routes: { simple: spy('small', 'x'), medium: model('middle'), complex: model('large') },
      scope: (step, fn) => storage.run(step, fn),
    });
    await router.generate('x');
    await router.stream('x').result;
    expect(seen).toEqual([
      'classifier in classify',
      'small in answer',
      'classifier in classify',
      'small in answer',
    ]);
  });

  test('1,000 calls at once keep their routes apart', async () => {
    const router = routerOf({ medium: [failing('middle', outage), model('backup')] }, { prices });
    const names: Complexity[] = ['simple', 'medium', 'complex'];
    const results = await Promise.all(
      Array.from({ length: 1_000 }, (_, i) => router.generate(`${names[i % 3]} number ${i}`)),
    );
    for (const [i, { route }] of results.entries()) {
      expect(route.complexity).toBe(names[i % 3]);
      expect(route.costUsd).toBe(0.000000000096);
      expect(route.failures).toHaveLength(i % 3 === 1 ? 1 : 0);
    }
  });
});

describe('a routed stream', () => {
  const read = async (stream: AsyncIterable<StreamEvent>) => {
    let text = '';
    for await (const event of stream) if (event.type === 'text') text += event.text;
    return text;
  };
  const broken = (after: number) =>
    defineLLM({
      provider: 'test',
      model: 'broken',
      generate: () => '',
      async *stream() {
        for (let i = 0; i < after; i++) yield `piece ${i}`;
        throw outage;
      },
    });

  test('gives the events and the route', async () => {
    const stream = routerOf({}, { prices }).stream('complex');
    expectTypeOf(stream.result).resolves.toEqualTypeOf<RoutedGeneration>();
    expect(await read(stream)).toBe('large answers');
    expect((await stream.result).route).toMatchObject({ complexity: 'complex', costUsd: 0.000000000096 });
  });

  test('falls over before the first token, never after it', async () => {
    const before = routerOf({ simple: [broken(0), model('backup')] }).stream('simple');
    expect(await read(before)).toBe('backup answers');
    expect((await before.result).route.failures).toMatchObject([{ id: 'test/broken' }]);
    const after = routerOf({ simple: [broken(1), model('backup')] }).stream('simple');
    await expect(read(after)).rejects.toBe(outage);
  });

  test('left early, its result is what came, with its route', async () => {
    const talkative = defineLLM({
      provider: 'test',
      model: 'talkative',
      generate: () => '',
      async *stream() {
        for (;;) yield 'word ';
      },
    });
    const stream = routerOf({ simple: talkative }).stream('simple');
    for await (const event of stream) if (event.type === 'text') break;
    expect(await stream.result).toMatchObject({
      finishReason: 'aborted',
      route: { servedBy: 'test/talkative' },
    });
  });

  test('a scope that fails is told, not waited for', async () => {
    const scope: RouterOptions['scope'] = (step, fn) =>
      step === 'answer' ? Promise.reject(new Error('scope failed')) : fn();
    await expect(routerOf({}, { scope }).stream('simple').result).rejects.toThrow('scope failed');
  });
});

describe('as a model', () => {
  test('it names its candidates, the classifier’s first', () => {
    expect(
      routerOf()
        .candidates()
        .map(({ id }) => id),
    ).toEqual(['test/classifier', 'test/small', 'test/middle', 'test/large']);
  });

  test('it is available while any of its models is', () => {
    const closed = { simple: open(model('a')), medium: open(model('b')), complex: open(model('c')) };
    expect(routerOf(closed).availability()).toMatchObject({ available: false, retryAfterMs: 500 });
    expect(routerOf({ ...closed, complex: [open(model('c')), model('d')] }).availability().available).toBe(
      true,
    );
  });

  test.each([
    [{ routes: { simple: model('a'), medium: model('b') } }, 'routes.complex'],
    [{ routes: { simple: [], medium: model('b'), complex: model('c') } }, 'routes.simple'],
    [{ routes: { simple: model('a'), medium: model('b'), complex: model('c'), hard: model('d') } }, 'hard'],
    [{ classifier: undefined }, 'classifier'],
    [{ fallback: model('x') }, 'fallback'],
  ])('refuses %o', (options, option) => {
    expect(() => routerOf({}, options as never)).toThrow(option);
  });
});
