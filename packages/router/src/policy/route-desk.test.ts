import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  type CallOptions,
  type Capabilities,
  channelNames,
  defineLLM,
  type LLM,
  type Prompt,
  type RouteMessage,
} from '@synapsekit/core';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { LLMClassifier } from '../llm-classifier.ts';
import { Router } from '../router.ts';
import { logDecisions } from './log-decisions.ts';
import { RouteDesk } from './route-desk.ts';
import type { RouteCandidate, RouteDraft, RoutePolicy } from './route-policy.ts';

const model = (name: string, capabilities?: Capabilities): LLM =>
  defineLLM({ provider: 'test', model: name, capabilities, generate: () => name });
const deskOf = (...policies: RoutePolicy[]): RouteDesk =>
  new RouteDesk({ router: 'r', policies, ids: () => 'id-1', clock: { ...clock } });
const clock = { now: () => 5, monotonic: () => 5, sleep: async () => {}, timer: () => () => {} };
const candidates: readonly RouteCandidate[] = [
  { llm: model('cheap'), quality: 0.6, costUsd: 0.001 },
  { llm: model('middle'), quality: 0.7, costUsd: 0.004 },
  { llm: model('strong'), quality: 0.9, costUsd: 0.02 },
];
const decide = (
  desk: RouteDesk,
  more: {
    prompt?: Prompt;
    options?: CallOptions;
    qualityPerUsd?: number;
    candidates?: typeof candidates;
  } = {},
) => desk.decide({ prompt: 'q', options: {}, candidates, qualityPerUsd: 0, ...more });
const planOf = (...args: Parameters<typeof decide>): string[] =>
  decide(...args).plan.map(({ model: name }) => name);

/** A policy that does something to the models of these names. */
const rule = (action: 'exclude' | 'defer' | 'prefer', ...names: string[]): RoutePolicy => ({
  name: action,
  apply(draft: RouteDraft) {
    for (const candidate of draft.candidates)
      if (names.includes(candidate.llm.model)) draft[action](candidate, 'so');
  },
});

describe('a decision', () => {
  test('is by quality less the price of its cost', () => {
    expect(planOf(deskOf())).toEqual(['strong', 'middle', 'cheap']);
    expect(planOf(deskOf(), { qualityPerUsd: 15 })).toEqual(['middle', 'strong', 'cheap']);
    expect(planOf(deskOf(), { qualityPerUsd: 100 })).toEqual(['cheap', 'middle', 'strong']);
  });

  test('keeps the given order where a figure is missing', () => {
    const given = [{ llm: model('a') }, ...candidates];
    expect(planOf(deskOf(), { candidates: given })).toEqual(['a', 'cheap', 'middle', 'strong']);
  });

  test('follows policies: out, last, first, dearer', () => {
    expect(planOf(deskOf(rule('exclude', 'strong')))).toEqual(['middle', 'cheap']);
    expect(planOf(deskOf(rule('defer', 'strong')))).toEqual(['middle', 'cheap', 'strong']);
    expect(planOf(deskOf(rule('prefer', 'cheap')))).toEqual(['cheap', 'strong', 'middle']);
    // Whoever says no wins over whoever says please.
    expect(planOf(deskOf(rule('prefer', 'strong'), rule('defer', 'strong')))).toEqual([
      'middle',
      'cheap',
      'strong',
    ]);
    const dearer: RoutePolicy = {
      name: 'dearer',
      apply(draft) {
        const [first] = draft.candidates;
        if (first !== undefined) draft.charge(first, 0.05, 'cold cache');
        draft.raisePrice(10, 'late in the month');
      },
    };
    expect(planOf(deskOf(dearer))).toEqual(['middle', 'cheap', 'strong']);
  });

  test('says why, without a word of the prompt', () => {
    const { record } = decide(deskOf(rule('exclude', 'strong'), rule('defer', 'middle')), {
      prompt: 'the secret recipe',
    });
    expect(JSON.parse(JSON.stringify(record))).toEqual({
      version: 1,
      id: 'id-1',
      router: 'r',
      atMs: 5,
      qualityPerUsd: 0,
      priceNotes: [],
      planned: ['test/cheap', 'test/middle'],
      candidates: [
        { id: 'test/cheap', place: 1, quality: 0.6, costUsd: 0.001, notes: [] },
        {
          id: 'test/middle',
          place: 2,
          quality: 0.7,
          costUsd: 0.004,
          notes: [{ policy: 'defer', action: 'deferred', reason: 'so' }],
        },
        {
          id: 'test/strong',
          quality: 0.9,
          costUsd: 0.02,
          notes: [{ policy: 'exclude', action: 'excluded', reason: 'so' }],
        },
      ],
    });
    expect(JSON.stringify(record)).not.toContain('secret');
  });

  test('refuses when nobody is left, with the reasons of each', () => {
    expect(() => decide(deskOf(rule('exclude', 'cheap', 'middle', 'strong')))).toThrow(
      expect.objectContaining({
        code: 'no-candidate',
        refusals: ['cheap', 'middle', 'strong'].map((name) => ({
          id: `test/${name}`,
          policy: 'exclude',
          reason: 'so',
        })),
      }),
    );
  });

  test('property: whatever policies say, everybody who is not out is asked once, the deferred last', () => {
    const action = fc.record({
      action: fc.constantFrom('exclude', 'defer', 'prefer', 'charge'),
      at: fc.nat(4),
      costUsd: fc.double({ min: -1, max: 1, noNaN: true }),
    });
    const figures = fc.record({
      quality: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
      costUsd: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
    });
    fc.assert(
      fc.property(
        fc.array(figures, { minLength: 1, maxLength: 5 }),
        fc.array(action, { maxLength: 8 }),
        (pool, actions) => {
          const given = pool.map((part, i) => ({ llm: model(`m${i}`), ...part }));
          const out = new Set<string>();
          const last = new Set<string>();
          const policies = actions.map(({ action: verb, at, costUsd }): RoutePolicy => {
            const target = given[at % given.length] as RouteCandidate;
            if (verb === 'exclude') out.add(target.llm.id);
            if (verb === 'defer') last.add(target.llm.id);
            return {
              name: verb,
              apply: (draft) =>
                verb === 'charge'
                  ? draft.charge(target, costUsd, 'so')
                  : draft[verb as 'defer'](target, 'so'),
            };
          });
          const desk = deskOf(...policies);
          if (out.size === given.length) {
            expect(() => decide(desk, { candidates: given })).toThrow(/can serve/);
            return;
          }
          const ids = decide(desk, { candidates: given }).plan.map(({ id }) => id);
          expect(ids.toSorted()).toEqual(given.map(({ llm }) => llm.id).filter((id) => !out.has(id)));
          const firstDeferred = ids.findIndex((id) => last.has(id));
          if (firstDeferred !== -1) expect(ids.slice(firstDeferred).every((id) => last.has(id))).toBe(true);
        },
      ),
    );
  });

  test('is told on the channel, and how it ended, once', () => {
    const messages: RouteMessage[] = [];
    const listen = (message: unknown): void => void messages.push(message as RouteMessage);
    subscribe(channelNames.route, listen);
    try {
      const settled = vi.fn();
      const decision = decide(deskOf({ name: 'watch', settle: settled }));
      decision.settle({ error: new Error('the secret recipe'), costUsd: 0.1 });
      decision.settle({ error: new Error('again') });
      expect(settled).toHaveBeenCalledTimes(1);
      expect(messages).toMatchObject([
        { type: 'decision', decisionId: 'id-1', planned: ['test/strong', 'test/middle', 'test/cheap'] },
        { type: 'end', decisionId: 'id-1', costUsd: 0.1, errorCode: 'error' },
      ]);
      expect(messages[0]?.candidates?.map(({ id, place }) => `${place} ${id}`)).toEqual([
        '1 test/strong',
        '2 test/middle',
        '3 test/cheap',
      ]);
      expect(JSON.stringify(messages)).not.toContain('secret');
      expect(Object.isFrozen(messages[0])).toBe(true);
    } finally {
      unsubscribe(channelNames.route, listen);
    }
  });

  test('a policy that throws when the call is over does not fail it', () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const decision = decide(
      deskOf({
        name: 'clumsy',
        settle: () => {
          throw new Error('the secret recipe');
        },
      }),
    );
    decision.settle({});
    expect(warn).toHaveBeenCalledTimes(1);
    expect(String(warn.mock.calls[0]?.[0])).not.toContain('secret');
  });

  test('refuses policies and feedback that are none', () => {
    expect(() => new RouteDesk({ router: 'r', policies: {} as never })).toThrow(/must be a list/);
    expect(() => new RouteDesk({ router: 'r', policies: [{} as never] })).toThrow(/name/);
    expect(() => deskOf().feedback('id-1', 2)).toThrow(/score/);
    expect(() => deskOf().feedback('id-1', Number.NaN)).toThrow(/score/);
    expect(() => deskOf().feedback('id-1', 1)).toThrow(/Nobody collects feedback/);
    const stray: RoutePolicy = { name: 'stray', apply: (draft) => draft.defer({ llm: model('x') }, 'so') };
    expect(() => decide(deskOf(stray))).toThrow(/"stray" names a model that is no candidate/);
  });
});

describe('capability gates', () => {
  const image: Prompt = [{ role: 'user', content: [{ type: 'image', image: 'https://example.com/a.png' }] }];
  const tools = [{ name: 'look-up' }];
  const schema = { type: 'json-schema', name: 'a', schema: {} } as const;
  test.each<[Capabilities, Prompt, CallOptions, string]>([
    [{ images: false }, image, {}, 'it takes no images'],
    [{ tools: false }, 'q', { tools }, 'it calls no tools'],
    [
      { tools: false },
      [
        { role: 'user', content: 'q' },
        { role: 'tool', toolCallId: '1', content: '3' },
      ],
      {},
      'it calls no tools',
    ],
    [{ jsonSchema: false }, 'q', { responseFormat: schema }, 'it keeps to no JSON schema'],
    [{ logprobs: false }, 'q', { logprobs: true }, 'it returns no log-probabilities'],
    [{ contextWindow: 1_000 }, 'x'.repeat(8_000), {}, 'its context window has 1000 tokens'],
    [{ contextWindow: 1_000 }, 'q', { maxTokens: 1_000 }, 'its context window has 1000 tokens'],
    [{ maxOutputTokens: 100 }, 'q', { maxTokens: 101 }, 'it answers with at most 100 tokens'],
  ])('%j', (capabilities, prompt, options, reason) => {
    const limited = { llm: model('limited', capabilities) };
    expect(planOf(deskOf(), { prompt, options, candidates: [limited, { llm: model('able') }] })).toEqual([
      'able',
    ]);
    expect(() => decide(deskOf(), { prompt, options, candidates: [limited] })).toThrow(
      expect.objectContaining({
        code: 'no-candidate',
        refusals: [{ id: 'test/limited', policy: 'capabilities', reason: expect.stringContaining(reason) }],
      }),
    );
  });

  test('what a model does not tell, it may be able to do; what is a little too long, too', () => {
    expect(planOf(deskOf(), { prompt: image, options: { tools, logprobs: true } })).toHaveLength(3);
    const tight = [{ llm: model('tight', { contextWindow: 1_000 }) }];
    expect(planOf(deskOf(), { prompt: 'x'.repeat(4_400), candidates: tight })).toEqual(['tight']);
  });

  test('a prompt of 10 MB is told off, not choked on', () => {
    const tight = [{ llm: model('tight', { contextWindow: 128_000 }) }];
    expect(() => decide(deskOf(), { prompt: 'word '.repeat(2_000_000), candidates: tight })).toThrow(
      /128000 tokens, the request needs at least/,
    );
  });
});

describe('a router with policies', () => {
  const classifier = defineLLM({
    provider: 'test',
    model: 'classifier',
    generate: (prompt) => String(prompt),
  });
  const routerOf = (policies: RoutePolicy[] = [], simple: Capabilities = {}): Router =>
    new Router({
      classifier: new LLMClassifier({ llm: classifier, prompt: (query) => query }),
      routes: { simple: model('small', simple), medium: model('middle'), complex: model('large') },
      policies,
    });

  test('asks its own route, and others only where that one cannot serve', async () => {
    expect((await routerOf().generate('simple')).route.planned).toEqual(['test/small']);
    const tool = { tools: [{ name: 'look-up' }] };
    expect((await routerOf([], { tools: false }).generate('simple', tool)).route).toMatchObject({
      complexity: 'simple',
      planned: ['test/middle', 'test/large'],
      servedBy: 'test/middle',
    });
    expect((await routerOf([rule('defer', 'large')]).generate('complex')).route.planned).toEqual([
      'test/middle',
      'test/small',
      'test/large',
    ]);
    expect((await routerOf([rule('prefer', 'large')]).generate('simple')).route.planned).toEqual([
      'test/large',
      'test/small',
    ]);
  });

  test('spends nothing on a request that nobody can serve', async () => {
    const asked = vi.spyOn(classifier, 'generate');
    const none = new Router({
      classifier: new LLMClassifier({ llm: classifier }),
      routes: {
        simple: model('a', { images: false }),
        medium: model('b', { images: false }),
        complex: model('c', { images: false }),
      },
    });
    const prompt: Prompt = [
      { role: 'user', content: [{ type: 'image', image: 'https://example.com/a.png' }] },
    ];
    await expect(none.generate(prompt)).rejects.toMatchObject({
      code: 'no-candidate',
      refusals: { length: 3 },
    });
    await expect(none.stream(prompt).result).rejects.toMatchObject({ code: 'no-candidate' });
    expect(asked).not.toHaveBeenCalled();
  });

  test('logs decisions, with the prompt only when asked', async () => {
    const logged: unknown[] = [];
    const write = (decision: unknown): void => void logged.push(decision);
    const router = routerOf([logDecisions({ write }), logDecisions({ write, includePrompt: true })]);
    const { route } = await router.generate('simple secret');
    await router.stream('simple secret').result;
    const stream = router.stream('simple secret');
    for await (const _ of stream) break;
    await stream.result;
    expect(logged).toHaveLength(6);
    expect(logged[0]).toMatchObject({ id: route.decision.id, servedBy: 'test/small' });
    expect(JSON.stringify(logged[0])).not.toContain('secret');
    expect(JSON.stringify(logged[1])).toContain('secret');
    await expect(router.generate('simple', { signal: AbortSignal.abort() })).rejects.toThrow();
  });
});
