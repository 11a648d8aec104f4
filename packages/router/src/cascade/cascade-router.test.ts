import {
  type Attempt,
  BudgetExceededError,
  CallTimeoutError,
  CircuitBreakerOpen,
  defineLLM,
  type Generation,
  type LLM,
  type PriceLookup,
  ProviderError,
  type StreamEvent,
} from '@synapsekit/core';
import fc from 'fast-check';
import { describe, expect, expectTypeOf, test, vi } from 'vitest';
import { agreesWith } from '../verify/agrees-with.ts';
import { finished } from '../verify/finished.ts';
import { meanLogprob } from '../verify/mean-logprob.ts';
import { passes } from '../verify/passes.ts';
import type { Verifier } from '../verify/verifier.ts';
import type { CascadeRouterOptions } from './cascade-options.ts';
import { type CascadeGeneration, CascadeRouter } from './cascade-router.ts';

const usage = { inputTokens: 10, outputTokens: 5 };
const model = (name: string, text = name): LLM =>
  defineLLM({
    provider: 'test',
    model: name,
    generate: () => ({ text, usage }),
    stream: async function* () {
      for (const piece of text.match(/.{1,3}/gsu) ?? []) yield piece;
      return { usage };
    },
  });
const failing = (name: string, error: unknown): LLM =>
  defineLLM({ provider: 'test', model: name, generate: () => Promise.reject(error) });
const stuck = (name: string): LLM =>
  defineLLM({ provider: 'test', model: name, generate: () => new Promise(() => {}) });
const outage = new ProviderError('down', { kind: 'server', provider: 'test', model: 'm' });
const refusal = new BudgetExceededError('no money', {
  guard: 'g',
  limit: 'daily',
  limitUsd: '1',
  committedUsd: '1',
  heldUsd: '0',
  neededUsd: '0.5',
  fits: 'window',
});

const prices: PriceLookup = {
  find: ({ model: id }) => ({
    provider: 'test',
    model: id,
    source: 'test',
    costPico: ({ inputTokens, outputTokens }) => BigInt(inputTokens + outputTokens),
    maxCostPico: ({ inputTokens, outputTokens }) => BigInt(inputTokens + outputTokens),
  }),
};

const cascadeOf = (options: Partial<CascadeRouterOptions> = {}): CascadeRouter =>
  new CascadeRouter({
    tiers: [model('cheap'), model('strong')],
    verify: [passes(({ text }) => text !== 'bad')],
    prices,
    ...options,
  });
const doubt: Verifier = { name: 'doubt', failure: 'doubtful', verify: () => ({ pass: false, reason: 'no' }) };
const shrug: Verifier = { name: 'shrug', verify: () => ({ pass: undefined, reason: 'who knows' }) };
const gainOf = (gain: number) => ({ model: { gain: () => gain } });

describe('CascadeRouter', () => {
  test('hands out the cheap answer that passes', async () => {
    const { text, route } = await cascadeOf().generate('q');
    expect(text).toBe('cheap');
    expect(route).toMatchObject({
      outcome: 'accepted',
      tier: 0,
      servedBy: 'test/cheap',
      planned: ['test/cheap', 'test/strong'],
      tries: [{ tier: 0, servedBy: 'test/cheap', verdicts: [{ pass: true }] }],
    });
    expect(route.costUsd).toBe(15e-12);
    expectTypeOf(route.outcome).toEqualTypeOf<CascadeGeneration['route']['outcome']>();
  });

  test('escalates from one that does not, and books both', async () => {
    const attempts: Attempt[] = [];
    const generation = await cascadeOf({ tiers: [model('cheap', 'bad'), model('strong')] }).generate('q', {
      onAttempt: (attempt) => attempts.push(attempt),
    });
    expect(generation.text).toBe('strong');
    expect(generation.route).toMatchObject({ outcome: 'escalated', tier: 1, costUsd: 30e-12 });
    expect(generation.route.costs.map(({ step }) => step)).toEqual(['answer', 'escalate']);
    expect(attempts.map(({ id }) => id)).toEqual(['test/cheap', 'test/strong']);
    expect(generation.attempts.map(({ id }) => id)).toEqual(['test/cheap', 'test/strong']);
  });

  test('climbs as many tiers as there are', async () => {
    const tiers = [model('a', 'bad'), model('b', 'bad'), model('c')];
    const { text, route } = await cascadeOf({ tiers }).generate('q');
    expect(text).toBe('c');
    expect(route.tries.map(({ tier }) => tier)).toEqual([0, 1, 2]);
    expect(route.costUsd).toBe(45e-12);
  });

  test('books what a verifier asks, and puts the serving attempt last', async () => {
    const attempts: string[] = [];
    const router = cascadeOf({ verify: [agreesWith(model('other', 'cheap'))] });
    const generation = await router.generate('q', { onAttempt: ({ id }) => attempts.push(id) });
    expect(generation.route).toMatchObject({ outcome: 'accepted', costUsd: 30e-12 });
    expect(generation.route.costs.map(({ step }) => step)).toEqual(['answer', 'verify']);
    expect(attempts).toEqual(['test/cheap', 'test/other']);
    expect(generation.attempts.map(({ id }) => id)).toEqual(['test/other', 'test/cheap']);
    expect(router.candidates().map(({ id }) => id)).toEqual(['test/cheap', 'test/strong', 'test/other']);
  });

  test('stops at the first verifier that fails the answer', async () => {
    const { route } = await cascadeOf({
      tiers: [model('cheap', 'bad'), model('strong')],
      verify: [finished(), passes(({ text }) => text !== 'bad'), agreesWith(failing('never asked', outage))],
    }).generate('q');
    expect(route.tries[0]?.verdicts.map(({ pass }) => pass)).toEqual([true, false]);
  });

  test('an answer of which nobody can say anything is not taken for a good one', async () => {
    const { route } = await cascadeOf({ verify: [shrug] }).generate('q');
    expect(route.outcome).toBe('escalated');
  });

  test('a verifier that throws cannot tell; the others decide', async () => {
    const broken: Verifier = {
      name: 'broken',
      verify: () => {
        throw new Error('bug');
      },
    };
    const { route } = await cascadeOf({ verify: [broken, finished()] }).generate('q');
    expect(route.outcome).toBe('accepted');
    expect(route.tries[0]?.verdicts[0]).toMatchObject({ verifier: 'broken', pass: undefined });
  });

  test('asks for log-probabilities only where they are needed and can be had', async () => {
    const asked: unknown[] = [];
    const spy = (logprobs: boolean): LLM =>
      defineLLM({
        provider: 'test',
        model: 'spy',
        capabilities: { logprobs },
        generate: (_, options) => {
          asked.push(options.logprobs);
          return 'x';
        },
      });
    await cascadeOf({ tiers: [spy(true), spy(true)], verify: [meanLogprob({ min: -1 })] }).generate('q');
    await cascadeOf({ tiers: [spy(false), spy(false)], verify: [meanLogprob({ min: -1 })] }).generate('q');
    await cascadeOf({ tiers: [spy(true), spy(true)] }).generate('q');
    expect(asked).toEqual([true, undefined, undefined, undefined, undefined]);
  });
});

describe('a gain model', () => {
  test('vetoes an escalation in doubt that gains nothing', async () => {
    const { text, route } = await cascadeOf({ verify: [doubt], gain: gainOf(0.01) }).generate('q');
    expect(text).toBe('cheap');
    expect(route).toMatchObject({ outcome: 'vetoed', predictedGain: 0.01 });
  });

  test('lets one go that pays, and has no say over a broken answer', async () => {
    expect((await cascadeOf({ verify: [doubt], gain: gainOf(0.3) }).generate('q')).route.outcome).toBe(
      'escalated',
    );
    const broken = cascadeOf({ tiers: [model('cheap', 'bad'), model('strong')], gain: gainOf(0) });
    expect((await broken.generate('q')).route.outcome).toBe('escalated');
  });

  test('is not asked where a verifier has seen the answer and knows the gain', async () => {
    const knows: Verifier = { ...doubt, verify: () => ({ pass: false, reason: 'no', gain: 0.4 }) };
    expect((await cascadeOf({ verify: [knows], gain: gainOf(0) }).generate('q')).route.outcome).toBe(
      'escalated',
    );
  });

  test('goes straight to the strong model where the cheap one is hopeless', async () => {
    const gain = { ...gainOf(0.8), directFrom: 0.7 };
    const { route } = await cascadeOf({ gain }).generate('q');
    expect(route).toMatchObject({ outcome: 'direct', servedBy: 'test/strong', costUsd: 15e-12 });
    // And down again when it cannot answer.
    const down = await cascadeOf({ tiers: [model('cheap'), failing('strong', outage)], gain }).generate('q');
    expect(down.route).toMatchObject({ outcome: 'unreachable', servedBy: 'test/cheap', escalationError: {} });
  });
});

describe('when models fail', () => {
  test('a cheap tier that is down is passed over; its own failover comes first', async () => {
    const tiers = [[failing('a', outage), failing('b', outage)], model('strong')];
    const { route, failures } = await cascadeOf({ tiers }).generate('q');
    expect(route.outcome).toBe('escalated');
    expect(failures.map(({ id }) => id)).toEqual(['test/a', 'test/b']);
    const [first] = [
      await cascadeOf({ tiers: [[failing('a', outage), model('b')], model('strong')] }).generate('q'),
    ];
    expect(first?.route).toMatchObject({ outcome: 'accepted', servedBy: 'test/b' });
  });

  test('an open circuit is no call', async () => {
    const open: LLM = {
      ...model('cheap'),
      generate: () => Promise.reject(new Error('must not be asked')),
      availability: () => ({
        available: false,
        error: new CircuitBreakerOpen('open', { breaker: 'b', state: 'OPEN' }),
      }),
    };
    const { route } = await cascadeOf({ tiers: [open, model('strong')] }).generate('q');
    expect(route.failures).toMatchObject([{ outcome: 'skipped' }]);
  });

  test.each([outage, refusal])('a doubtful answer is better than none: $code', async (error) => {
    const options = { tiers: [model('cheap'), failing('strong', error)], verify: [doubt] };
    const { text, route } = await cascadeOf(options).generate('q');
    expect(text).toBe('cheap');
    expect(route).toMatchObject({ outcome: 'unreachable', tier: 0 });
    expect(route.escalationError).toBeDefined();
    await expect(cascadeOf({ ...options, whenUnreachable: 'throw' }).generate('q')).rejects.toBeDefined();
  });

  test('a broken answer is not', async () => {
    const tiers = [model('cheap', 'bad'), failing('strong', outage)];
    await expect(cascadeOf({ tiers }).generate('q')).rejects.toMatchObject({ code: 'all-providers-failed' });
    await expect(
      cascadeOf({ tiers: [model('cheap', 'bad'), failing('strong', refusal)] }).generate('q'),
    ).rejects.toBe(refusal);
  });

  test('everybody down is one error that names all', async () => {
    const tiers = [failing('cheap', outage), failing('strong', outage)];
    await expect(cascadeOf({ tiers }).generate('q')).rejects.toMatchObject({
      code: 'all-providers-failed',
      errors: [{ id: 'test/cheap' }, { id: 'test/strong' }],
    });
  });

  test('a bad request goes nowhere', async () => {
    const bad = new ProviderError('bad', { kind: 'bad-request', provider: 'test', model: 'm' });
    await expect(cascadeOf({ tiers: [failing('cheap', bad), model('strong')] }).generate('q')).rejects.toBe(
      bad,
    );
  });

  test('an abort ends it at once, whoever is at work', async () => {
    const never = defineLLM({ provider: 'test', model: 'never', generate: () => new Promise(() => {}) });
    const slow: Verifier = { name: 'slow', verify: () => new Promise(() => {}) };
    for (const options of [
      { tiers: [never, model('strong')] },
      { verify: [slow] },
      { verify: [agreesWith(never)] },
      { tiers: [model('cheap', 'bad'), never] },
    ]) {
      for (const start of [
        (router: CascadeRouter, signal: AbortSignal): Promise<Generation> => router.generate('q', { signal }),
        (router: CascadeRouter, signal: AbortSignal): Promise<Generation> =>
          router.stream('q', { signal }).result,
      ]) {
        const controller = new AbortController();
        const running = start(cascadeOf(options), controller.signal);
        running.catch(() => {});
        await new Promise((resolve) => setImmediate(resolve));
        controller.abort('enough');
        await expect(running).rejects.toBe('enough');
      }
    }
    await expect(cascadeOf().generate('q', { signal: AbortSignal.abort('no') })).rejects.toBe('no');
  });
});

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

test('property: whatever passes, breaks and fails, every attempt is told once and the route says who served', async () => {
  const behaviour = fc.constantFrom('good', 'bad', 'doubtful', 'down');
  await fc.assert(
    fc.asyncProperty(
      fc.array(behaviour, { minLength: 2, maxLength: 4 }),
      fc.boolean(),
      async (kinds, streamed) => {
        const tiers = kinds.map((kind, i) =>
          kind === 'down' ? failing(`m${i}`, outage) : model(`m${i}`, `${kind}`),
        );
        const verify = [
          passes(({ text }) => text !== 'bad'),
          passes(({ text }) => text !== 'doubtful', { failure: 'doubtful' }),
        ];
        const told: string[] = [];
        const settled = vi.fn();
        const policies = [{ name: 'count', settle: settled }];
        const router = new CascadeRouter({ tiers, verify, prices, policies });
        const options = {
          onAttempt: (attempt: Attempt) => void (attempt.usage && told.push(attempt.attemptId)),
        };
        const call = streamed ? router.stream('q', options).result : router.generate('q', options);
        const result = await call.catch((error: unknown) => error as Error);

        // The model: the first good one, or the last if it answers; else the best doubtful one; else an error.
        const last = kinds.length - 1;
        const first = kinds.findIndex((kind, i) => kind === 'good' || (i === last && kind !== 'down'));
        const doubtful = kinds.lastIndexOf('doubtful');
        const served = first !== -1 ? first : doubtful;
        expect(new Set(told).size).toBe(told.length);
        expect(settled).toHaveBeenCalledTimes(1);
        if (served === -1) {
          expect(result).toBeInstanceOf(Error);
          return;
        }
        const { route, attempts } = result as CascadeGeneration;
        expect(route.servedBy).toBe(`test/m${served}`);
        expect(route.tier).toBe(served);
        expect(attempts.map(({ attemptId }) => attemptId).toSorted()).toEqual(told.toSorted());
        expect(attempts.at(-1)?.id).toBe(route.servedBy);
        expect(route.costs).toHaveLength(told.length);
      },
    ),
    { numRuns: 200 },
  );
});

test('1,000 calls at once do not get into each other', async () => {
  const echo = (name: string): LLM =>
    defineLLM({
      provider: 'test',
      model: name,
      generate: async (prompt) => {
        await new Promise((resolve) => setImmediate(resolve));
        return { text: `${name} ${String(prompt)}`, usage };
      },
    });
  const router = new CascadeRouter({
    tiers: [echo('cheap'), echo('strong')],
    verify: [passes(({ text }) => Number(text.split(' ')[1]) % 3 !== 0)],
    prices,
  });
  const answers = await Promise.all(Array.from({ length: 1_000 }, (_, i) => router.generate(String(i))));
  for (const [i, { text, route }] of answers.entries()) {
    expect(text).toBe(`${i % 3 === 0 ? 'strong' : 'cheap'} ${i}`);
    expect(route.costs).toHaveLength(i % 3 === 0 ? 2 : 1);
  }
  expect(new Set(answers.map(({ route }) => route.decision.id)).size).toBe(1_000);
});

test('refuses options that cannot be meant', () => {
  const tiers = [model('a'), model('b')];
  const verify = [finished()];
  const gain = gainOf(0);
  for (const [options, message] of [
    [{ tiers: [model('a')], verify }, /two or more/],
    [{ tiers: [model('a'), []], verify }, /tiers\[1\]/],
    [{ tiers, verify: [] }, /at least one verifier/],
    [{ tiers, verify: [() => true] }, /passes\(test\)/],
    [{ tiers, verify, verifiers: [] }, /no option "verifiers"/],
    [{ tiers, verify, whenUnreachable: 'cry' }, /whenUnreachable/],
    [{ tiers, verify, gain: { model: {} } }, /gain\.model/],
    [{ tiers, verify, gain: { ...gain, minGain: Number.NaN } }, /minGain/],
    [{ tiers, verify, gain: { ...gain, minGain: 0.5, directFrom: 0.2 } }, /directFrom/],
    [{ tiers, verify, policies: [{}] }, /name/],
  ] as const) {
    expect(() => new CascadeRouter(options as never)).toThrow(message);
  }
});
