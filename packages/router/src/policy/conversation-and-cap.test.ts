import {
  type CallOptions,
  defineLLM,
  type Generation,
  type LLM,
  type PriceLookup,
  type Prompt,
} from '@synapsekit/core';
import { ManualClock, seededRandom } from '@synapsekit/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CascadeRouter } from '../cascade/cascade-router.ts';
import { passes } from '../verify/passes.ts';
import { BoundedMap } from './bounded-map.ts';
import { type CapShareOptions, capShare } from './cap-share.ts';
import { type Decision, RouteDesk } from './route-desk.ts';
import type { RouteCandidate, RoutePolicy } from './route-policy.ts';
import { type StayInConversationOptions, stayInConversation } from './stay-in-conversation.ts';

const model = (name: string): LLM => defineLLM({ provider: 'test', model: name, generate: () => name });
const models = { cheap: model('cheap'), strong: model('strong') };
/** A dollar per million tokens, a tenth of it for cached ones; the strong model is ten times as dear. */
const prices: PriceLookup = {
  find: ({ model: id }) => {
    const each = id === 'strong' ? 10_000_000n : 1_000_000n;
    const cost = ({ inputTokens = 0, cachedInputTokens = 0, outputTokens = 0 }): bigint =>
      (BigInt(inputTokens - cachedInputTokens + outputTokens) + BigInt(cachedInputTokens) / 10n) * each;
    return { provider: 'test', model: id, source: 'test', costPico: cost, maxCostPico: cost };
  },
};

const answerOf = (llm: LLM, inputTokens = 10): Generation => ({
  text: 'x',
  toolCalls: [],
  finishReason: 'stop',
  usage: { inputTokens, outputTokens: 0 },
  attempts: [],
  provider: llm.provider,
  model: llm.model,
  servedBy: llm.id,
  servedModel: llm.model,
  latencyMs: 1,
  failures: [],
});

const pool = (cheapQuality: number, strongQuality: number): RouteCandidate[] => [
  { llm: models.cheap, quality: cheapQuality, costUsd: 0.001 },
  { llm: models.strong, quality: strongQuality, costUsd: 0.01 },
];

const deskOf = (...policies: RoutePolicy[]) => {
  const desk = new RouteDesk({ router: 'r', policies });
  return (
    candidates: readonly RouteCandidate[],
    conversationId: string | undefined,
    { prompt = 'q', qualityPerUsd = 10 }: { prompt?: Prompt; qualityPerUsd?: number } = {},
  ): Decision => {
    const options: CallOptions = conversationId === undefined ? {} : { attributes: { conversationId } };
    return desk.decide({ prompt, options, candidates, qualityPerUsd });
  };
};

describe('stayInConversation', () => {
  const conversationOf = (options: StayInConversationOptions = {}) => {
    const clock = new ManualClock();
    const decide = deskOf(stayInConversation({ clock, ...options }));
    const turn = (
      candidates: readonly RouteCandidate[],
      id: string | null = 'a',
      more: { prompt?: Prompt; inputTokens?: number } = {},
    ): string => {
      const decision = decide(candidates, id ?? undefined, more);
      const first = decision.plan[0] as LLM;
      decision.settle({ generation: answerOf(first, more.inputTokens) });
      return first.model;
    };
    return { clock, turn };
  };
  const easy = pool(0.9, 0.9);
  const hard = pool(0.3, 0.9);

  test('stays with the strong model when the next question is an easy one', () => {
    const { turn } = conversationOf();
    expect(turn(hard)).toBe('strong');
    expect(turn(easy)).toBe('strong');
    expect(turn(easy, 'b')).toBe('cheap');
    expect(turn(easy, null)).toBe('cheap');
  });

  test('moves up when that pays, and only then', () => {
    const { turn } = conversationOf();
    expect(turn(easy)).toBe('cheap');
    // It gains 0.1, and costs 0.09 more at this price of money.
    expect(turn(pool(0.8, 0.9))).toBe('cheap');
    expect(turn(hard)).toBe('strong');
  });

  test('counts the prompt cache that is lost with the change, while it is warm', async () => {
    const { clock, turn } = conversationOf({ prices });
    const tight = pool(0.6, 0.76); // 0.16 more, 0.09 dearer: 0.07 is left
    const long = { inputTokens: 20_000 };
    expect(turn(easy, 'long', long)).toBe('cheap');
    expect(turn(easy, 'short')).toBe('cheap');
    // 20,000 cached tokens save 0.018 dollars, 0.18 of quality.
    expect(turn(tight, 'long', long)).toBe('cheap');
    expect(turn(tight, 'short')).toBe('strong');
    await clock.advance(300_001);
    expect(turn(tight, 'long', long)).toBe('strong');
  });

  test('never changes while a tool call is under way', () => {
    const { turn } = conversationOf();
    const prompt: Prompt = [
      { role: 'user', content: 'q' },
      { role: 'tool', toolCallId: '1', content: '3' },
    ];
    expect(turn(easy)).toBe('cheap');
    expect(turn(hard, 'a', { prompt })).toBe('cheap');
    expect(turn(hard)).toBe('strong');
  });

  test('goes by tiers where no quality is predicted', () => {
    const { turn } = conversationOf();
    const route = (first: 'cheap' | 'strong'): RouteCandidate[] =>
      (['cheap', 'strong'] as const)
        .map((name, tier) => ({ llm: models[name], tier, reserve: name !== first }))
        .toSorted((a, b) => Number(a.reserve) - Number(b.reserve));
    expect(turn(route('cheap'))).toBe('cheap');
    expect(turn(route('strong'))).toBe('strong');
    expect(turn(route('cheap'))).toBe('strong');
  });

  test('leaves a model that a budget defers, and one that is gone', () => {
    const clock = new ManualClock();
    let deferred = false;
    const budget: RoutePolicy = {
      name: 'budget',
      apply(draft) {
        const target = draft.candidates.find(({ llm }) => llm === models.strong);
        if (deferred && target !== undefined) draft.defer(target, 'no money');
      },
    };
    const decide = deskOf(budget, stayInConversation({ clock }));
    const first = decide(hard, 'a');
    first.settle({ generation: answerOf(models.strong) });
    deferred = true;
    expect(decide(easy, 'a').plan[0]?.model).toBe('cheap');
    deferred = false;
    expect(decide(easy, 'a').plan[0]?.model).toBe('strong');
    expect(decide(easy.slice(0, 1), 'a').plan[0]?.model).toBe('cheap');
  });

  test('knows a chain by the model that served for it', () => {
    const decide = deskOf(stayInConversation({ clock: new ManualClock() }));
    const chain: LLM = { ...models.strong, id: 'chain', model: 'chain', candidates: () => [models.strong] };
    const chained = (quality: number): RouteCandidate[] => [
      ...pool(quality, 0).slice(0, 1),
      { llm: chain, quality: 0.9, costUsd: 0.01 },
    ];
    decide(chained(0.3), 'a').settle({ generation: answerOf(models.strong) });
    expect(decide(chained(0.9), 'a').plan[0]?.model).toBe('chain');
    expect(decide(chained(0.9), 'b').plan[0]?.model).toBe('cheap');
  });

  test('forgets what is idle, and the oldest of too many', async () => {
    const { clock, turn } = conversationOf({ maxConversations: 100 });
    expect(turn(hard)).toBe('strong');
    await clock.advance(3_600_001);
    expect(turn(easy)).toBe('cheap');
    expect(turn(hard, 'b')).toBe('strong');
    for (let i = 0; i < 1_000; i++) turn(easy, `other-${i}`);
    expect(turn(easy, 'b')).toBe('cheap');
  });

  test('1,000 conversations side by side keep to themselves', () => {
    const decide = deskOf(stayInConversation({ clock: new ManualClock() }));
    const random = seededRandom(1);
    const open: { readonly id: number; readonly decision: Decision }[] = [];
    for (let i = 0; i < 1_000; i++)
      open.push({ id: i, decision: decide(i % 2 === 0 ? hard : easy, `c${i}`) });
    for (const { decision } of open.toSorted(() => random() - 0.5)) {
      decision.settle({ generation: answerOf(decision.plan[0] as LLM) });
    }
    for (let i = 0; i < 1_000; i++) {
      expect(decide(easy, `c${i}`).plan[0]?.model).toBe(i % 2 === 0 ? 'strong' : 'cheap');
    }
  });

  test('refuses what cannot be meant', () => {
    for (const options of [
      { key: 'a' },
      { minGain: -1 },
      { idleMs: 0 },
      { maxConversations: 0 },
      { nope: 1 },
    ]) {
      expect(() => stayInConversation(options as never)).toThrow();
    }
  });
});

describe('capShare', () => {
  const hard = pool(0.1, 0.9);

  test('property: n calls have at most max * n + burst strong ones, whatever comes in which order', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(20),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 300 }),
        fc.nat(1_000),
        (max, burst, wants, seed) => {
          const random = seededRandom(seed);
          const decide = deskOf(capShare({ max, burst }));
          const open: Decision[] = [];
          let strong = 0;
          let calls = 0;
          for (const want of wants) {
            const decision = decide(want ? hard : pool(0.9, 0.9), undefined);
            calls++;
            if (decision.plan[0] === models.strong) strong++;
            expect(strong).toBeLessThanOrEqual(max * calls + burst + 1e-9);
            open.push(decision);
            // Calls end in any order, some of them much later.
            if (random() < 0.5) {
              const ended = open.splice(Math.floor(random() * open.length), 1)[0];
              ended?.settle({ generation: answerOf(ended.plan[0] as LLM) });
            }
          }
        },
      ),
    );
  });

  test('1,000 calls at once that all want the strong model get the share, and the record says why', () => {
    const decide = deskOf(capShare({ max: 0.2 }));
    const decisions = Array.from({ length: 1_000 }, () => decide(hard, undefined));
    const strong = decisions.filter(({ plan }) => plan[0] === models.strong).length;
    expect(strong).toBeGreaterThanOrEqual(200);
    expect(strong).toBeLessThanOrEqual(210);
    const capped = decisions.at(-2)?.record.candidates.find(({ id }) => id === 'test/strong');
    expect(capped?.notes).toMatchObject([{ policy: 'cap-share', action: 'deferred' }]);
  });

  test('each tenant has a cap of its own', () => {
    const by: CapShareOptions['by'] = (_, { attributes }) => attributes?.conversationId as string;
    const decide = deskOf(capShare({ max: 0, burst: 3, by }));
    for (const tenant of ['a', 'b']) {
      const served = Array.from({ length: 5 }, () => decide(hard, tenant).plan[0]?.model);
      expect(served).toEqual(['strong', 'strong', 'strong', 'cheap', 'cheap']);
    }
  });

  test('a cascade that comes to the strong model after all pays for it', async () => {
    const router = new CascadeRouter({
      tiers: [models.cheap, models.strong],
      verify: [passes(() => false, { failure: 'doubtful' })],
      policies: [capShare({ max: 0.25, burst: 1 })],
    });
    const outcomes: string[] = [];
    for (let i = 0; i < 100; i++) outcomes.push((await router.generate('q')).route.outcome);
    const escalated = outcomes.filter((outcome) => outcome === 'escalated').length;
    expect(escalated).toBeGreaterThanOrEqual(24);
    expect(escalated).toBeLessThanOrEqual(26);
    expect(outcomes.filter((outcome) => outcome === 'deferred')).toHaveLength(100 - escalated);
  });

  test('a strong call that its caller gives up counts: giving up does not lift the cap', async () => {
    let strongCalls = 0;
    let giveUp = (): void => {};
    const slow = defineLLM({
      provider: 'test',
      model: 'strong',
      generate: async (_, { signal }) => {
        strongCalls++;
        giveUp();
        signal?.throwIfAborted();
        return 'late';
      },
    });
    const router = new CascadeRouter({
      tiers: [models.cheap, slow],
      verify: [passes(() => false, { failure: 'doubtful' })],
      policies: [capShare({ max: 0.1, burst: 5, models: [slow.id] })],
    });
    for (let i = 0; i < 100; i++) {
      const caller = new AbortController();
      giveUp = () => caller.abort(new Error('gone'));
      await router.generate('q', { signal: caller.signal }).catch(() => {});
    }
    expect(strongCalls).toBeLessThanOrEqual(0.1 * 100 + 5);
    expect(strongCalls).toBeGreaterThanOrEqual(10);
  });

  test('says its share as it was given', () => {
    const decide = deskOf(capShare({ max: 0.29, burst: 0 }));
    const notes = decide(hard, undefined).record.candidates.flatMap((candidate) => candidate.notes);
    expect(notes.map(({ reason }) => reason)).toEqual(['strong models may take 29 % of the calls, and have']);
  });

  test('is no obstacle where there is nothing else', () => {
    const decide = deskOf(capShare({ max: 0, burst: 0 }));
    expect(decide(hard.slice(1), undefined).plan[0]?.model).toBe('strong');
  });

  test('refuses what cannot be meant', () => {
    for (const options of [
      {},
      { max: 1.1 },
      { max: 0.1, burst: -1 },
      { max: 0.1, models: [] },
      { max: 0.1, by: 1 },
    ]) {
      expect(() => capShare(options as never)).toThrow();
    }
  });
});

test('property: a bounded map keeps what was touched last', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.record({ key: fc.nat(8), write: fc.boolean() }), { maxLength: 60 }),
      (max, steps) => {
        let evicted = 0;
        const map = new BoundedMap<number, number>(max, () => evicted++);
        let reference: number[] = [];
        let writes = 0;
        for (const { key, write } of steps) {
          const known = reference.includes(key);
          expect(map.get(key) !== undefined).toBe(known);
          if (write) {
            map.set(key, key + 1);
            if (!known) writes++;
          }
          if (known || write) reference = [...reference.filter((other) => other !== key), key].slice(-max);
          expect(map.size).toBe(reference.length);
        }
        expect(writes - evicted).toBe(map.size);
      },
    ),
  );
});
