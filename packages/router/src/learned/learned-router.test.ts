import {
  type CallOptions,
  defineLLM,
  type LLM,
  NoCandidateError,
  type PriceLookup,
  parseUsd,
} from '@synapsekit/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { syntheticOutcomes } from '../../test/synthetic-outcomes.ts';
import { calibrateRouter } from '../calibrate/calibrate-router.ts';
import { CalibratedRouter } from '../calibrate/calibrated-router.ts';
import type { RouteDrift } from '../calibrate/drift-watch.ts';
import type { GainModel } from './gain-model.ts';
import { LearnedRouter } from './learned-router.ts';
import { trainRouterModel } from './train-router-model.ts';

const hard = 'prove the theorem of the lemma with matrix converges integral';
const easy = 'what is the capital city of the country';

const answering = (model: string, capabilities: LLM['capabilities'] = {}): LLM =>
  defineLLM({
    provider: 'test',
    model,
    capabilities,
    generate: () => ({ text: model, usage: { inputTokens: 100, outputTokens: 10 } }),
  });
const small = answering('small', { contextWindow: 500 });
const large = answering('large', { contextWindow: 100_000, tools: true });
const broken = defineLLM({
  provider: 'test',
  model: 'broken',
  generate: () => {
    throw new TypeError('fetch failed', { cause: Object.assign(new Error('reset'), { code: 'ECONNRESET' }) });
  },
});
const costOf = (name: string): bigint => parseUsd(name === 'large' ? '0.004' : '0.0002');
/** large costs $0.004 a call, all others $0.0002. */
const prices: PriceLookup = {
  find: ({ model }) => ({
    provider: 'test',
    model,
    source: 'test',
    costPico: () => costOf(model),
    maxCostPico: () => costOf(model),
  }),
};

let model: GainModel;
beforeAll(async () => {
  model = await trainRouterModel(syntheticOutcomes(800, { seed: 1 }));
});

describe('LearnedRouter', () => {
  test('buys quality where it is worth its price, and says why', async () => {
    const router = new LearnedRouter({ model: model.json, llms: { small, large }, qualityPerUsd: 60 });
    const [dear, cheap] = await Promise.all([router.generate(hard), router.generate(easy)]);
    expect([dear.text, cheap.text]).toEqual(['large', 'small']);
    expect(dear.route.predicted.large).toBeGreaterThan(dear.route.predicted.small ?? 1);
    expect(dear.route.decision).toMatchObject({
      router: 'learned',
      qualityPerUsd: 60,
      planned: ['test/large', 'test/small'],
    });
    expect(dear.route.decision.candidates[0]).toMatchObject({ id: 'test/large', costUsd: 0.004 });
    expect(JSON.stringify(dear.route.decision)).not.toContain('theorem');
  });

  test('money that is dear enough buys nothing, money that is nothing buys the best', async () => {
    const at = (qualityPerUsd: number) => new LearnedRouter({ model, llms: { small, large }, qualityPerUsd });
    expect((await at(1e6).generate(hard)).text).toBe('small');
    expect((await at(0).generate(hard)).text).toBe('large');
  });

  test('a floor takes the cheapest that reaches it, and the best where none does', async () => {
    const floor = (minQuality: number) =>
      new LearnedRouter({ model, llms: { small, large }, minQuality, prices });
    expect((await floor(0.7).generate(easy)).text).toBe('small');
    expect((await floor(0.6).generate(hard)).text).toBe('large');
    expect((await floor(1).generate(hard)).text).toBe('large');
    expect((await floor(0).generate(hard)).text).toBe('small');
  });

  test('ceilings are walls: what is above them is not asked, not even when the others fail', async () => {
    const router = new LearnedRouter({ model, llms: { small: broken, large }, maxCostUsd: 0.001 });
    await expect(router.generate(hard)).rejects.not.toBeInstanceOf(NoCandidateError);
    const quick = new LearnedRouter({ model, llms: { small, large }, maxLatencyMs: 500 });
    const { text, route } = await quick.generate(hard);
    expect(text).toBe('small');
    expect(route.decision.candidates[1]?.notes).toEqual([
      { policy: 'ceilings', action: 'excluded', reason: 'it takes 1500 ms, maxLatencyMs is 500' },
    ]);
  });

  test('fails over in the order of the decision, in streams too', async () => {
    const router = new LearnedRouter({ model, llms: { small: broken, large }, qualityPerUsd: 1e6, prices });
    const { text, route } = await router.generate(easy);
    expect([text, route.planned, route.failures.length]).toEqual(['large', ['test/broken', 'test/large'], 1]);
    const stream = router.stream(easy);
    let streamed = '';
    for await (const event of stream) if (event.type === 'text') streamed += event.text;
    expect(streamed).toBe('large');
    expect((await stream.result).route.servedBy).toBe('test/large');
  });

  test('a request that nobody can serve is refused with the reasons of each', async () => {
    const router = new LearnedRouter({ model, llms: { small, large }, qualityPerUsd: 1e6, prices });
    const tools: CallOptions = { tools: [{ name: 't', description: 'd', parameters: { type: 'object' } }] };
    const narrow = new LearnedRouter({
      model,
      llms: { small: answering('small', { tools: false }), large: answering('large', { tools: false }) },
      qualityPerUsd: 1,
      prices,
    });
    await expect(narrow.generate(easy, tools)).rejects.toBeInstanceOf(NoCandidateError);
    // A long one goes where it fits, whatever it costs.
    expect((await router.generate(`${easy} `.repeat(200))).text).toBe('large');
  });

  test('a thousand calls at once are each decided on their own', async () => {
    const router = new LearnedRouter({ model, llms: { small, large }, qualityPerUsd: 60, prices });
    const texts = await Promise.all(
      Array.from({ length: 1_000 }, async (_, i) => {
        if (i % 3 === 0) await Promise.resolve();
        return (await router.generate(i % 2 === 0 ? hard : easy)).text;
      }),
    );
    expect(texts.every((text, i) => text === (i % 2 === 0 ? 'large' : 'small'))).toBe(true);
  });

  test('an abort is an abort', async () => {
    const router = new LearnedRouter({ model, llms: { small, large }, qualityPerUsd: 1 });
    const reason = new Error('enough');
    await expect(router.generate(easy, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  test.each([
    [{ qualityPerUsd: undefined }, 'needs something to go by'],
    [{ qualityPerUsd: Number.NaN }, 'qualityPerUsd must be'],
    [{ minQuality: 1.5 }, 'minQuality must be'],
    [{ maxCostUsd: 0.0001 }, 'below what the cheapest model costs on average ($0.0002): nobody could serve'],
    [{ maxLatencyMs: 100 }, 'below what the fastest model takes on average (300 ms)'],
    [
      { llms: { small } },
      'needs two models or more in llms, by their names in the trained model: small, large',
    ],
    [{ llms: { small, larg: large } }, 'llms has no option "larg". It has: small, large'],
    [{ model: {} }, 'This is no router model'],
    [{ policies: {} }, 'policies must be a list'],
    [{ hardened: 'yes' }, 'hardened must be true or false'],
    [{ qualityPerusd: 1 }, 'LearnedRouter has no option "qualityPerusd"'],
  ])('refuses %o', (options, message) => {
    expect(
      () => new LearnedRouter({ model, llms: { small, large }, qualityPerUsd: 1, ...(options as object) }),
    ).toThrow(message);
  });

  test('without any cost, a price of money is refused at once', async () => {
    const free = await trainRouterModel(syntheticOutcomes(300, { costs: false }), { fallback: false });
    const make = (options: object) => new LearnedRouter({ model: free, llms: { small, large }, ...options });
    expect(() => make({ qualityPerUsd: 1 })).toThrow('What calls cost is not known');
    expect(make({ qualityPerUsd: 1, prices }).candidates()).toEqual([small, large]);
  });
});

describe('CalibratedRouter', () => {
  let calibrated: GainModel;
  beforeAll(() => {
    calibrated = calibrateRouter(syntheticOutcomes(800, { seed: 2 }), {
      model,
      promise: { kind: 'quality', keep: 0.9 },
    });
  });
  const traffic = (seed: number, count: number) =>
    syntheticOutcomes(count, { seed }).map(({ prompt }) => prompt);

  test('goes by its threshold, and finds no drift in traffic like its rows', async () => {
    const drifts: RouteDrift[] = [];
    const router = new CalibratedRouter({
      model: calibrated.json,
      weak: small,
      strong: large,
      prices,
      onDrift: (d) => drifts.push(d),
    });
    for (const prompt of traffic(50, 1_000)) {
      const { text, route } = await router.generate(prompt);
      expect(text).toBe(route.gain >= route.threshold ? 'large' : 'small');
    }
    const { decisions, windows, drift, strongShare = 0, costUsd = 0, expected } = router.drift();
    expect([decisions, windows, drift, drifts]).toEqual([1_000, 5, [], []]);
    expect(Math.abs(strongShare - expected.strongShare)).toBeLessThan(0.06);
    expect(Math.abs(costUsd - (expected.costUsd ?? 0))).toBeLessThan(0.0003);
  });

  test('reports once when all queries become hard, and is well again when they are as before', async () => {
    const drifts: RouteDrift[] = [];
    const router = new CalibratedRouter({
      model: calibrated,
      weak: small,
      strong: large,
      prices,
      onDrift: (d) => drifts.push(d),
    });
    await Promise.all(Array.from({ length: 600 }, () => router.generate(hard)));
    expect(drifts.map(({ kind }) => kind)).toEqual(['strong-share', 'cost']);
    expect(drifts[0]).toMatchObject({ live: 1, calls: 200 });
    expect(router.drift().drift).toHaveLength(2);
    await Promise.all(traffic(60, 400).map((prompt) => router.generate(prompt)));
    expect(router.drift().drift).toEqual([]);
    expect(drifts).toHaveLength(2);
  });

  test('a listener that throws harms no call', async () => {
    const router = new CalibratedRouter({
      model: calibrated,
      weak: small,
      strong: large,
      drift: { window: 20 },
      onDrift: () => {
        throw new Error('listener');
      },
    });
    for (let i = 0; i < 40; i++) expect((await router.generate(hard)).text).toBe('large');
    expect(router.drift().drift).toHaveLength(1);
  });

  test('a stream that breaks off counts once, as it cost', async () => {
    const usage = { inputTokens: 100, outputTokens: 10 };
    const breaks = defineLLM({
      provider: 'test',
      model: 'large',
      generate: () => ({ text: 'whole', usage }),
      async *stream() {
        yield { type: 'text', text: 'half' };
        throw new Error('gone');
      },
    });
    const ends = defineLLM({ provider: 'test', model: 'ends', generate: () => ({ text: 'ends', usage }) });
    const router = new CalibratedRouter({ model: calibrated, weak: ends, strong: breaks, prices });
    await router.stream(easy).result;
    await expect(router.stream(hard).result).rejects.toThrow();
    // One call of $0.0002, and one of $0.004: what had come of it is paid for.
    const { decisions, costUsd } = router.drift();
    expect(decisions).toBe(2);
    expect(costUsd).toBeCloseTo(0.0021, 9);
  });

  test('refuses a model that promises nothing, and options that make no sense', () => {
    const options = { model: calibrated, weak: small, strong: large };
    expect(() => new CalibratedRouter({ ...options, model })).toThrow('promises nothing yet');
    expect(() => new CalibratedRouter({ ...options, strong: {} as LLM })).toThrow('needs two models');
    expect(() => new CalibratedRouter({ ...options, drift: { window: 5 } })).toThrow('drift.window must be');
    expect(() => new CalibratedRouter({ ...options, drift: { windo: 5 } as never })).toThrow(
      'drift has no option',
    );
  });
});
