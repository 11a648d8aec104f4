import { defineLLM, type LLM } from '@synapsekit/core';
import { ManualClock, seededRandom } from '@synapsekit/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import type { GainModel } from '../learned/gain-model.ts';
import { LearnedRouter } from '../learned/learned-router.ts';
import { trainRouterModel } from '../learned/train-router-model.ts';
import type { OutcomeRow } from '../outcomes/outcome.ts';
import { capShare } from './cap-share.ts';
import { logOutcomes } from './log-outcomes.ts';
import { paceBudget } from './pace-budget.ts';
import type { RoutePolicy } from './route-policy.ts';
import { stayInConversation } from './stay-in-conversation.ts';

const llms: Readonly<Record<string, LLM>> = {
  small: defineLLM({ provider: 'test', model: 'small', generate: () => 'small' }),
  large: defineLLM({ provider: 'test', model: 'large', generate: () => 'large' }),
};

/** What is to be proved is too much for the small model; what is to be named is not. */
const proofs = ['prove', 'derive', 'show rigorously'];
const lookups = ['name', 'spell', 'list'];
const things = ['the theorem', 'a lemma', 'this identity', 'the capital', 'the colours', 'the rule'];
const queryOf = (hard: boolean, i: number): string =>
  `Please ${(hard ? proofs : lookups)[Math.floor(i / 6) % 3]} ${things[i % 6]} number ${i}`;

let model: GainModel;
beforeAll(async () => {
  const random = seededRandom(1);
  const rows = Array.from({ length: 400 }, (_, i): OutcomeRow => {
    const hard = i % 2 === 0;
    return {
      id: `${i}`,
      prompt: queryOf(hard, Math.floor(i / 2)),
      outcomes: {
        small: { score: Number(random() < (hard ? 0.2 : 0.95)), costUsd: 0.001 },
        large: { score: Number(random() < 0.95), costUsd: 0.02 },
      },
    };
  });
  model = await trainRouterModel(rows);
}, 60_000);

const routerOf = (...policies: RoutePolicy[]): LearnedRouter =>
  new LearnedRouter({ model, llms, qualityPerUsd: 20, policies });

describe('a learned router with policies', () => {
  test('asks the large model for what gains, and no other', async () => {
    const router = routerOf();
    expect((await router.generate(queryOf(true, 1_001))).text).toBe('large');
    expect((await router.generate(queryOf(false, 1_001))).text).toBe('small');
  });

  test('a text that drives every query to the dear model costs its cap, and no more', async () => {
    const attack = 'Prove, derive and show rigorously the theorem: ';
    const count = async (router: LearnedRouter): Promise<number> => {
      const answers = await Promise.all(
        Array.from({ length: 1_000 }, (_, i) => router.generate(attack + queryOf(false, i))),
      );
      return answers.filter(({ text }) => text === 'large').length;
    };
    expect(await count(routerOf())).toBe(1_000);
    expect(await count(routerOf(capShare({ max: 0.2, burst: 10 })))).toBeLessThanOrEqual(210);
  });

  test('only the last turn counts, however hard the earlier ones were', async () => {
    const { route } = await routerOf().generate([
      { role: 'user', content: queryOf(true, 1) },
      { role: 'assistant', content: 'It follows.' },
      { role: 'user', content: queryOf(false, 2) },
    ]);
    expect(route.servedBy).toBe('test/small');
  });

  test('goes down ahead of the pace, and stays in a conversation; the record says why', async () => {
    const clock = new ManualClock();
    const resetsAtMs = clock.now() + 86_400_000;
    let leftUsd = 1;
    const budget = { remaining: () => [{ limit: 'daily', limitUsd: 1, leftUsd, resetsAtMs }] };
    const router = routerOf(paceBudget({ budget, clock }), stayInConversation());
    const talk = { attributes: { conversationId: 'a' } };
    expect((await router.generate(queryOf(true, 1), talk)).text).toBe('large');
    const stays = await router.generate(queryOf(false, 1), talk);
    expect(stays.text).toBe('large');
    expect(stays.route.decision.candidates[0]?.notes).toMatchObject([{ policy: 'stay-in-conversation' }]);
    leftUsd = 0.5;
    const slower = await router.generate(queryOf(true, 2), talk);
    expect(slower.text).toBe('small');
    expect(slower.route.decision.candidates[1]?.notes).toMatchObject([
      { policy: 'pace-budget', action: 'deferred' },
    ]);
  });

  test('its outcomes train the next one', async () => {
    const rows: OutcomeRow[] = [];
    const log = logOutcomes({
      to: { append: async (row) => void rows.push(row) },
      names: { 'test/small': 'small', 'test/large': 'large' },
      shadow: {
        share: 1,
        maxQueued: 1_000,
        score: ({ text }, { prompt }) =>
          Number(text === 'large' || !/prove|derive|rigor/.test(String(prompt))),
      },
    });
    const router = routerOf(log);
    for (let i = 0; i < 300; i++) await router.generate(queryOf(i % 2 === 0, Math.floor(i / 2)));
    await log.flush();
    const next = await trainRouterModel(rows);
    expect(next.models.toSorted()).toEqual(['large', 'small']);
    expect(next).toMatchObject({ weak: 'small', strong: 'large', json: { form: 'learned' } });
    expect(next.gain(queryOf(true, 2_001))).toBeGreaterThan(next.gain(queryOf(false, 2_001)) + 0.5);
  });
});
