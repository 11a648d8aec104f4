import type { BudgetRemaining, BudgetView, LLM } from '@synapsekit/core';
import { defineLLM } from '@synapsekit/core';
import { ManualClock, seededRandom } from '@synapsekit/testing';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { paceBudget } from './pace-budget.ts';
import { RouteDesk } from './route-desk.ts';
import type { RouteCandidate, RoutePolicy } from './route-policy.ts';

const hourMs = 3_600_000;
const model = (name: string): LLM => defineLLM({ provider: 'test', model: name, generate: () => name });
const cheap = model('cheap');
const strong = model('strong');
const cheapUsd = 0.001;
const strongUsd = 0.02;

/** A budget of one window after the other. */
class Wallet implements BudgetView {
  spentUsd = 0;
  readonly #clock: ManualClock;
  readonly #limitUsd: number;
  #window = 0;

  constructor(clock: ManualClock, limitUsd: number) {
    this.#clock = clock;
    this.#limitUsd = limitUsd;
  }

  remaining(): readonly BudgetRemaining[] {
    const window = Math.floor(this.#clock.now() / hourMs);
    if (window !== this.#window) this.spentUsd = 0;
    this.#window = window;
    const leftUsd = Math.max(0, this.#limitUsd - this.spentUsd);
    return [{ limit: 'hourly', limitUsd: this.#limitUsd, leftUsd, resetsAtMs: (window + 1) * hourMs }];
  }
}

interface World {
  readonly clock: ManualClock;
  readonly wallet: Wallet;
  readonly ask: (gain?: number) => { readonly served: LLM; readonly end: () => void };
  /** Who would serve, without a call. */
  readonly look: (gain: number) => LLM;
}

const worldOf = (
  limitUsd: number,
  options: { band?: number; pace?: (time: number) => number } = {},
): World => {
  const clock = new ManualClock();
  const wallet = new Wallet(clock, limitUsd);
  const policy = paceBudget({ budget: wallet, clock, random: seededRandom(1), ...options });
  const desk = new RouteDesk({ router: 'r', policies: [policy], clock });
  const world: World = {
    clock,
    wallet,
    look(gain) {
      const spentUsd = wallet.spentUsd;
      const { served, end } = world.ask(gain);
      end();
      wallet.spentUsd = spentUsd;
      return served;
    },
    ask(gain) {
      const candidates: RouteCandidate[] = [
        { llm: strong, costUsd: strongUsd, tier: 1, ...(gain !== undefined && { quality: 0.5 + gain }) },
        { llm: cheap, costUsd: cheapUsd, tier: 0, ...(gain !== undefined && { quality: 0.5 }) },
      ];
      const decision = desk.decide({
        prompt: 'q',
        options: {},
        candidates,
        ...(gain !== undefined && { qualityPerUsd: 0 }),
      });
      const served = decision.plan[0] as LLM;
      return {
        served,
        end() {
          wallet.spentUsd += served === strong ? strongUsd : cheapUsd;
          decision.settle({});
        },
      };
    },
  };
  return world;
};

describe('paceBudget', () => {
  test.each([true, false])(
    'spends evenly over the window, whatever the traffic; gains known: %s',
    async (known) => {
      const limitUsd = 4;
      const { clock, wallet, ask } = worldOf(limitUsd);
      const random = seededRandom(3);
      for (let i = 0; i < 1_000; i++) {
        // Three kinds of traffic: easy, hard, easy. A fixed threshold would spend all of it in the second.
        const hard = i >= 300 && i < 700;
        ask(known ? (hard ? 0.2 : 0.02) + 0.1 * random() : undefined).end();
        const timeShare = (clock.now() % hourMs) / hourMs;
        // Never ahead of the pace by more than the band and a call.
        expect(wallet.spentUsd).toBeLessThanOrEqual(limitUsd * (timeShare + 0.05) + strongUsd);
        await clock.advance(hourMs / 1_001);
      }
      // And the money is used: all of it would have been 20.
      expect(wallet.spentUsd).toBeGreaterThan(limitUsd * 0.9);
    },
  );

  test('spends where the gain is, where gains are known', async () => {
    const { clock, ask } = worldOf(2);
    const random = seededRandom(5);
    let strongGain = 0;
    let strongCalls = 0;
    let allGain = 0;
    for (let i = 0; i < 1_000; i++) {
      const gain = 0.3 * random();
      const { served, end } = ask(gain);
      allGain += gain;
      if (served === strong) {
        strongGain += gain;
        strongCalls++;
      }
      end();
      await clock.advance(hourMs / 1_001);
    }
    expect(strongCalls).toBeGreaterThan(30);
    expect(strongCalls).toBeLessThan(120);
    // A tenth of the calls, and of all calls the ones that gain most: the mean of all is 0.15.
    expect(strongGain / strongCalls).toBeGreaterThan(1.3 * (allGain / 1_000));
  });

  test('does nothing while spending is behind the pace, and is free again in the next window', async () => {
    const { clock, wallet, look } = worldOf(1);
    expect(look(0.1)).toBe(strong);
    wallet.spentUsd = 0.9;
    expect(look(0.1)).toBe(cheap);
    await clock.advance(hourMs);
    expect(look(0.1)).toBe(strong);
    // The new window began with all its money, also where it is seen late.
    await clock.advance(1.5 * hourMs);
    wallet.remaining();
    wallet.spentUsd = 0.4;
    expect(look(0.1)).toBe(strong);
    wallet.spentUsd = 0.6;
    expect(look(0.1)).toBe(cheap);
  });

  test('a router that starts in the middle of a window spreads what is left', async () => {
    const { clock, wallet, look } = worldOf(1);
    await clock.advance(hourMs / 2);
    wallet.remaining();
    wallet.spentUsd = 0.9;
    expect(look(0.1)).toBe(strong);
    wallet.spentUsd = 0.92;
    expect(look(0.1)).toBe(cheap);
    await clock.advance(hourMs / 4);
    expect(look(0.1)).toBe(strong);
  });

  test('paces a window whose end moves on with the time as well', async () => {
    const clock = new ManualClock();
    let leftUsd = 1;
    const budget: BudgetView = {
      remaining: () => [{ limit: 'rolling', limitUsd: 1, leftUsd, resetsAtMs: clock.now() + hourMs }],
    };
    const desk = new RouteDesk({ router: 'r', policies: [paceBudget({ budget, clock })], clock });
    const first = (): unknown => {
      const decision = desk.decide({
        prompt: 'q',
        options: {},
        candidates: [
          { llm: strong, costUsd: strongUsd },
          { llm: cheap, costUsd: cheapUsd },
        ],
      });
      decision.settle({});
      return decision.plan[0];
    };
    expect(first()).toBe(strong);
    await clock.advance(hourMs / 4);
    leftUsd = 0.5;
    expect(first()).toBe(cheap);
    await clock.advance(hourMs / 2);
    expect(first()).toBe(strong);
  });

  test('keeps to a pace of your own', async () => {
    const { clock, wallet, look } = worldOf(1, {
      pace: (time) => (time < 0.5 ? 0.9 : 0.9 + (time - 0.5) / 5),
    });
    look(0.1);
    wallet.spentUsd = 0.85;
    expect(look(0.1)).toBe(strong);
    await clock.advance(hourMs * 0.6);
    wallet.spentUsd = 0.98;
    expect(look(0.1)).toBe(cheap);
  });

  test('1,000 calls at once do not all see the same full purse', () => {
    const { ask } = worldOf(10);
    const calls = Array.from({ length: 1_000 }, () => ask());
    const inFlightUsd = calls.reduce((sum, { served }) => sum + (served === strong ? strongUsd : 0), 0);
    // 20 dollars' worth, of which half a dollar is ahead of the pace.
    expect(inFlightUsd).toBeLessThan(0.05 * 10 + strongUsd);
    for (const { end } of calls) end();
  });

  test('what cannot be paid is asked last, as long as something can', () => {
    const clock = new ManualClock();
    const guarded = (llm: LLM, usd: number): LLM => ({
      ...llm,
      quoteHold: () => ({ pico: BigInt(Math.round(usd * 1e12)) }),
    });
    const decide = (leftUsd: number, ...holdsUsd: number[]) => {
      const budget: BudgetView = { remaining: () => [{ limit: 'total', limitUsd: 1, leftUsd }] };
      const desk = new RouteDesk({ router: 'r', policies: [paceBudget({ budget, clock })], clock });
      const candidates = holdsUsd.map((usd, i) => ({ llm: guarded(model(`m${i}`), usd), costUsd: usd }));
      return desk.decide({ prompt: 'q', options: {}, candidates });
    };
    expect(decide(0.5, 0.6, 0.2, 0.4).record.planned).toEqual(['test/m1', 'test/m2', 'test/m0']);
    expect(decide(0.5, 0.6, 0.2).record.candidates[1]?.notes[0]?.reason).toBe(
      'the total budget has $0.50 left, it may need $0.60',
    );
    // Where nothing fits the budget itself is to say so.
    expect(decide(0.1, 0.6, 0.2).record.planned).toEqual(['test/m0', 'test/m1']);
  });

  test('property: with any traffic and any gains, spending stays within pace and band', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({ waitMs: fc.nat(hourMs / 20), gain: fc.double({ min: 0, max: 1, noNaN: true }) }),
          { minLength: 20, maxLength: 200 },
        ),
        fc.double({ min: 0.5, max: 5, noNaN: true }),
        fc.boolean(),
        async (traffic, limitUsd, known) => {
          const { clock, wallet, ask } = worldOf(limitUsd);
          let startMs = clock.now();
          let cheapestUsd = 0;
          for (const { waitMs, gain } of traffic) {
            await clock.advance(waitMs);
            if (Math.floor(clock.now() / hourMs) !== Math.floor(startMs / hourMs)) {
              startMs = clock.now();
              cheapestUsd = 0;
            }
            ask(known ? gain : undefined).end();
            cheapestUsd += cheapUsd;
            const timeShare = (clock.now() % hourMs) / hourMs;
            const paced = limitUsd * (timeShare + 0.05) + strongUsd;
            // Nobody can spend less than the cheapest model costs.
            expect(wallet.spentUsd).toBeLessThanOrEqual(Math.max(paced, 0) + cheapestUsd + 1e-9);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  describe('limits of a user beside the one of everybody', () => {
    const usersOf = (userUsd: number) => {
      const clock = new ManualClock();
      const spentUsd = new Map<string, number>();
      const resetsAtMs = clock.now() + hourMs;
      const budget: BudgetView = {
        remaining: ({ attributes } = {}) => {
          const everybody = { limit: 'hourly', limitUsd: 100, leftUsd: 100, resetsAtMs };
          if (attributes?.userId === undefined) return [everybody];
          const attributeValue = String(attributes.userId);
          const leftUsd = userUsd - (spentUsd.get(attributeValue) ?? 0);
          const own = { limit: 'hourly', limitUsd: userUsd, leftUsd, resetsAtMs };
          return [{ ...own, attribute: 'userId', attributeValue }, everybody];
        },
      };
      const desk = new RouteDesk({ router: 'r', policies: [paceBudget({ budget, clock })], clock });
      return (userId: string, spend = true): LLM => {
        const decision = desk.decide({
          prompt: 'q',
          options: { attributes: { userId } },
          candidates: [
            { llm: strong, costUsd: strongUsd, quality: 0.9 },
            { llm: cheap, costUsd: cheapUsd, quality: 0.5 },
          ],
          qualityPerUsd: 0,
        });
        const served = decision.plan[0] as LLM;
        if (!spend) return served;
        const costUsd = served === strong ? strongUsd : cheapUsd;
        spentUsd.set(userId, (spentUsd.get(userId) ?? 0) + costUsd);
        decision.settle({});
        return served;
      };
    };

    test('are seen by the attributes of the call, and paced on their own', () => {
      const ask = usersOf(1);
      const served = Array.from({ length: 20 }, () => ask('alice'));
      // 5 % of $1 are two or three strong calls, at the beginning of the hour.
      expect(served.filter((llm) => llm === strong).length).toBeLessThanOrEqual(3);
      expect(served.slice(-10)).toEqual(Array.from({ length: 10 }, () => cheap));
      expect(ask('bob')).toBe(strong);
    });

    test("are not pressed by other users' calls that are under way", () => {
      const ask = usersOf(1);
      for (let i = 0; i < 50; i++) ask('alice', false);
      expect(ask('alice', false)).toBe(cheap);
      expect(ask('bob', false)).toBe(strong);
    });
  });

  test('a call that a later policy breaks off is not under way for ever', () => {
    const clock = new ManualClock();
    const budget = new Wallet(clock, 1);
    let broken = true;
    const breaking: RoutePolicy = {
      name: 'breaking',
      apply() {
        if (broken) throw new TypeError('tenant is not there');
      },
    };
    const desk = new RouteDesk({ router: 'r', policies: [paceBudget({ budget, clock }), breaking], clock });
    const decide = () =>
      desk.decide({
        prompt: 'q',
        options: {},
        candidates: [{ llm: strong, costUsd: strongUsd, quality: 1 }],
      });
    for (let i = 0; i < 100; i++) expect(decide).toThrow('tenant is not there');
    broken = false;
    decide().settle({});
    const two = [
      { llm: strong, costUsd: strongUsd, quality: 0.9 },
      { llm: cheap, costUsd: cheapUsd, quality: 0.5 },
    ];
    const { plan } = desk.decide({ prompt: 'q', options: {}, candidates: two, qualityPerUsd: 0 });
    expect(plan[0]).toBe(strong);
  });

  describe('a limit that is named and not there', () => {
    const at = (limit: string, attributeValue?: string): BudgetRemaining => ({
      limit,
      limitUsd: 1,
      leftUsd: 1,
      resetsAtMs: hourMs,
      ...(attributeValue !== undefined && { attribute: 'userId', attributeValue }),
    });
    /** A budget of everybody's daily limit, and one of the user. */
    const budget: BudgetView = {
      remaining: ({ attributes } = {}) => [
        at('daily'),
        ...(attributes?.userId === undefined ? [] : [at('monthly', String(attributes.userId))]),
      ],
    };
    const candidates = [{ llm: strong }, { llm: cheap }];
    const callsOf = (limits: readonly string[]) => {
      const desk = new RouteDesk({ router: 'r', policies: [paceBudget({ budget, limits })] });
      return (userId?: string) =>
        desk.decide({
          prompt: 'q',
          options: userId === undefined ? {} : { attributes: { userId } },
          candidates,
        }).plan.length;
    };

    test('is refused at once where it is nearly one of everybody', () => {
      expect(() => paceBudget({ budget, limits: ['dayly'] })).toThrow(
        'The budget has no limit "dayly". Did you mean "daily"?',
      );
    });

    test('or with the first call that has the one that was meant', () => {
      const call = callsOf(['daily', 'montly']);
      expect(() => call('alice')).toThrow('The budget has no limit "montly". Did you mean "monthly"?');
    });

    test('is warned of once where nothing is like it, and harms no call', () => {
      const warned: unknown[][] = [];
      const emitWarning = vi
        .spyOn(process, 'emitWarning')
        .mockImplementation((...of) => void warned.push(of));
      try {
        const call = callsOf(['monthly', 'hourly']);
        expect([call(), call('alice'), call()]).toEqual([2, 2, 2]);
        expect(callsOf(['monthly'])('alice')).toBe(2);
      } finally {
        emitWarning.mockRestore();
      }
      expect(warned).toEqual([
        [
          expect.stringContaining('is to pace "monthly", "hourly"'),
          expect.objectContaining({ code: 'SYNAPSEKIT_LIMITS' }),
        ],
      ]);
    });
  });

  test('refuses what cannot be meant', () => {
    const budget: BudgetView = { remaining: () => [] };
    for (const options of [
      {},
      { budget: {} },
      { budget, limits: 'daily' },
      { budget, limits: [] },
      { budget, band: 0 },
      { budget, pace: 1 },
      { budget, bands: 1 },
    ]) {
      expect(() => paceBudget(options as never)).toThrow();
    }
    const policy: RoutePolicy = paceBudget({ budget });
    expect(policy.name).toBe('pace-budget');
  });
});
