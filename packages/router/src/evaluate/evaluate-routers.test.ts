import { describe, expect, test } from 'vitest';
import { syntheticOutcomes } from '../../test/synthetic-outcomes.ts';
import { trainRouterModel } from '../learned/train-router-model.ts';
import { evaluateRouters } from './evaluate-routers.ts';
import type { ReportedRouter, RouteReport } from './route-report.ts';

const named = ({ routers }: RouteReport, name: string): ReportedRouter => {
  const found = routers.find((router) => router.name === name);
  if (found === undefined) throw new Error(`no router ${name}`);
  return found;
};
const ticking = { now: () => 0, monotonic: () => 0, sleep: async () => {}, timer: () => () => {} };

describe('evaluateRouters', () => {
  test('puts routers beside a coin, length, single models and an oracle, and calls them what they are', async () => {
    const rows = syntheticOutcomes(1_200, { seed: 21 });
    const model = await trainRouterModel(rows, { rows: 400, seed: 2 });
    const steps: number[] = [];
    const report = await evaluateRouters(rows, {
      draws: 200,
      clock: ticking,
      routers: [
        { name: 'model', model },
        { name: 'coin', score: (prompt) => String(prompt).length % 7 },
      ],
      onProgress: (share) => steps.push(share),
    });
    expect(report).toMatchObject({ rows: 1_200, groups: 3, costUnit: 'usd', weak: 'small', strong: 'large' });
    expect(named(report, 'random').apgr?.value).toBe(0.5);
    expect(named(report, 'oracle').apgr?.value).toBeGreaterThan(1);
    expect(named(report, 'coin')).toMatchObject({
      verdict: 'worthless',
      rows: 1_200,
      trainedOn: 0,
      excluded: 0,
    });
    const learned = named(report, 'model');
    expect(learned.verdict).toBe('better-than-length');
    // Its memory of what it was trained on has no false no, and a few false yes.
    expect(learned.trainedOn).toBe(400);
    expect(learned.excluded).toBeGreaterThanOrEqual(400);
    expect(learned.excluded).toBeLessThan(480);
    expect(learned.rows + learned.excluded).toBe(1_200);
    expect(learned.advantage?.low).toBeGreaterThan(0);
    expect(learned.probe?.attack.inEarlierMessage).toBe(learned.probe?.attack.before);
    expect(learned.probe?.flipRate).toBeLessThan(0.3);
    expect(named(report, 'prompt length').probe?.attack.inMessage).toBe(1);
    // Groups are what this data is about: an unseen one is unknown, and within one there is nothing to tell apart.
    expect(named(report, 'learned (held out)').apgr?.value).toBeGreaterThan(0.75);
    expect(named(report, 'learned (held out)').leaveGroupOut?.value).toBeLessThan(0.7);
    expect(named(report, 'learned (held out)').withinGroups?.value).toBeLessThan(0.6);
    expect(steps).toEqual(steps.toSorted((a, b) => a - b));
    expect(steps.at(-1)).toBe(1);
    expect(JSON.stringify(report)).not.toContain('theorem');
  });

  test('costs run from the weak model to the strong one, and the best single model is the cheapest that will do', async () => {
    const report = await evaluateRouters(syntheticOutcomes(400, { seed: 8 }), {
      draws: 50,
      learned: false,
      clock: ticking,
    });
    const { costTo, curve } = named(report, 'random');
    expect(curve[0]?.cost).toBeCloseTo(0.0002, 9);
    expect(curve.at(-1)?.cost).toBeCloseTo(0.004, 9);
    expect(costTo?.['100']).toBeCloseTo(1, 9);
    expect(named(report, 'best single (large)').costTo?.['90']).toBe(1);
    expect(named(report, 'oracle').costTo?.['100']).toBeLessThan(0.6);
  });

  test('names models that nobody needs, and uses the whole pool', async () => {
    const rows = syntheticOutcomes(500, { seed: 9 }).map((row) => ({
      ...row,
      outcomes: {
        ...row.outcomes,
        pointless: { score: row.outcomes.small?.score ?? 0, costUsd: 0.003 },
      },
    }));
    const report = await evaluateRouters(rows, { draws: 50, clock: ticking });
    expect(report.models.map(({ name, dominatedBy }) => [name, dominatedBy])).toEqual([
      ['small', undefined],
      ['pointless', 'small'],
      ['large', undefined],
    ]);
    expect(named(report, 'learned (held out)').aiq?.value).toBeGreaterThan(
      named(report, 'random').aiq?.value ?? 1,
    );
  });

  test('a model that has seen all rows is not measured on them', async () => {
    const rows = syntheticOutcomes(300, { seed: 1 });
    const model = await trainRouterModel(rows, { fallback: false });
    const report = await evaluateRouters(rows, {
      draws: 50,
      learned: false,
      routers: [{ name: 'seen', model }],
      clock: ticking,
    });
    expect(named(report, 'seen')).toMatchObject({ verdict: 'unmeasured', trainedOn: 300, excluded: 300 });
    expect(named(report, 'seen').unmeasured).toContain('Train on a part of the rows');
  });

  test('the same seed gives the same report', async () => {
    const rows = syntheticOutcomes(250, { seed: 30 });
    const [one, two] = await Promise.all(
      [1, 1].map((seed) => evaluateRouters(rows, { draws: 50, seed, clock: ticking })),
    );
    expect(one).toEqual(two);
  });

  test.each([
    [syntheticOutcomes(2), {}, '2 rows have a score for every model; an evaluation needs 50'],
    [syntheticOutcomes(100), { models: ['large'] }, 'There is only one model (large)'],
    [syntheticOutcomes(100), { draws: 3 }, 'draws must be a whole number >= 20'],
    [syntheticOutcomes(100), { weak: 'large', strong: 'large' }, 'weak and strong are both "large"'],
    [
      syntheticOutcomes(100),
      { routers: [{ name: 'broken', score: () => Number.NaN }] },
      'The router "broken" scored a query NaN',
    ],
    [
      syntheticOutcomes(100).map((row, i) =>
        i === 7 ? { ...row, outcomes: { ...row.outcomes, small: { score: 1 } } } : row,
      ),
      {},
      'small has no cost in 1 of 100 rows',
    ],
  ])('refuses what cannot be measured (%#)', async (rows, options, message) => {
    await expect(evaluateRouters(rows, { clock: ticking, ...options })).rejects.toThrow(message);
  });

  test('a model for another pair is refused', async () => {
    const model = await trainRouterModel(syntheticOutcomes(300), { fallback: false });
    const rows = syntheticOutcomes(100).map((row) => ({
      ...row,
      outcomes: { tiny: row.outcomes.small ?? { score: 0 }, huge: row.outcomes.large ?? { score: 1 } },
    }));
    await expect(evaluateRouters(rows, { routers: [{ name: 'm', model }] })).rejects.toThrow(
      'was trained to choose between small and large, these outcomes are measured between tiny and huge',
    );
  });
});
