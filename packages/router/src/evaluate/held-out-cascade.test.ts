import { describe, expect, test } from 'vitest';
import { sums } from '../../test/sums.ts';
import { syntheticOutcomes } from '../../test/synthetic-outcomes.ts';
import type { OutcomeRow } from '../outcomes/outcome.ts';
import { evaluateRouters } from './evaluate-routers.ts';
import type { ReportedRouter, RouteReport } from './route-report.ts';

const named = ({ routers }: RouteReport, name: string): ReportedRouter | undefined =>
  routers.find((router) => router.name === name);
const cascadeOf = (report: RouteReport): ReportedRouter | undefined => named(report, 'cascade (held out)');

const costUsd = { small: 0.001, large: 0.01 };
const priced = (rows: readonly OutcomeRow[]): OutcomeRow[] =>
  rows.map(({ outcomes: { small, large }, ...row }) => ({
    ...row,
    outcomes: {
      small: { score: 0, ...small, costUsd: costUsd.small },
      large: { score: 0, ...large, costUsd: costUsd.large },
    },
  }));
/** Without the answers of all rows but the first `count`. */
const answeredOnly = (rows: readonly OutcomeRow[], count: number): OutcomeRow[] =>
  rows.map((row, index) => {
    const { response, ...small } = row.outcomes.small ?? { score: 0 };
    return index < count ? row : { ...row, outcomes: { ...row.outcomes, small } };
  });

describe('a cascade in a report', () => {
  test('reads answers that its verifier has not seen, and pays for both calls', async () => {
    const rows = priced(sums(600));
    const steps: number[] = [];
    const report = await evaluateRouters(rows, { draws: 100, onProgress: (share) => steps.push(share) });
    const cascade = cascadeOf(report);
    expect(cascade).toMatchObject({ kind: 'held-out', rows: 600, verdict: 'better-than-length' });
    // The answers show whether they are right, the prompts only what is hopeless.
    expect(cascade?.apgr?.low).toBeGreaterThan(1);
    expect(cascade?.aiq?.value).toBeGreaterThan(named(report, 'learned (held out)')?.aiq?.high ?? 1);
    expect(cascade?.curve[0]?.cost).toBeCloseTo(costUsd.small, 12);
    expect(cascade?.curve.at(-1)?.cost).toBeCloseTo(costUsd.small + costUsd.large, 12);
    // More than a third of the answers are wrong: one cheap call for each query, and a dear one for those.
    expect(cascade?.costTo?.['100']).toBeLessThan(0.6);
    expect(steps).toEqual(steps.toSorted((a, b) => a - b));
    expect(steps.at(-1)).toBe(1);
    expect(JSON.stringify(report)).not.toContain('####');
  });

  test('is measured on the rows that hold an answer, where they are enough', async () => {
    const rows = priced(sums(500));
    const measure = async (count: number) =>
      cascadeOf(
        await evaluateRouters(answeredOnly(rows, count), { draws: 20, learned: false, cascade: true }),
      );
    expect(await measure(300)).toMatchObject({ rows: 300, verdict: 'better-than-length' });
    expect(await measure(150)).toMatchObject({
      rows: 0,
      verdict: 'unmeasured',
      unmeasured: 'a verifier needs 200 rows with an answer of small (response), there are 150',
    });
    expect(await measure(0)).toBeUndefined();
  });

  test('is left out with the learned router, or by itself', async () => {
    const rows = priced(sums(250));
    for (const options of [{ learned: false }, { cascade: false }]) {
      expect(cascadeOf(await evaluateRouters(rows, { draws: 20, ...options }))).toBeUndefined();
    }
    expect(cascadeOf(await evaluateRouters(syntheticOutcomes(60), { draws: 20 }))).toBeUndefined();
  });
});
