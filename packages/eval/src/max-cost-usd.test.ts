import { ConfigError, parseUsd } from '@synapsekit/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { caseRun } from '../test/case-run.ts';
import { MaxCostUSD } from './max-cost-usd.ts';
import type { MeasuredCost } from './measured-cost.ts';
import type { MetricVerdict } from './metric.ts';

const judge = (threshold: number | string, usd: string, cost: Partial<MeasuredCost> = {}): MetricVerdict =>
  new MaxCostUSD({ threshold }).evaluate(
    caseRun({
      cost: { pico: parseUsd(usd), calls: 1, estimatedCalls: 0, missingCalls: 0, missing: [], ...cost },
    }),
  );

describe('MaxCostUSD', () => {
  test('prints figures and sign as they are, and passes up to the threshold itself', () => {
    expect(judge(0.001, '0.0000023')).toEqual({ pass: true, detail: '$0.0000023 < $0.001' });
    expect(judge(0.1, '0.0312')).toEqual({ pass: true, detail: '$0.0312 < $0.10' });
    expect(judge(0.1, '0.1')).toEqual({ pass: true, detail: '$0.10 = $0.10' });
    expect(judge(0.1, '0.1404')).toEqual({ pass: false, detail: '$0.14 > $0.10' });
  });

  test('prints in full what would look equal when rounded', () => {
    expect(judge(0.1, '0.1004')).toEqual({ pass: false, detail: '$0.1004 > $0.1' });
    expect(judge('0.1', '0.100000000001')).toEqual({ pass: false, detail: '$0.100000000001 > $0.1' });
    expect(judge(0, '0')).toEqual({ pass: true, detail: '$0.00 = $0.00' });
  });

  test('fails when the cost is not known: no price, no record, no call', () => {
    const missing = { missingCalls: 1, missing: ['no price for acme/new'] };
    expect(judge(1, '0', { calls: 0, ...missing })).toEqual({
      pass: false,
      detail: 'cost unknown: no price for acme/new',
    });
    expect(judge(1, '0.5', missing)).toEqual({
      pass: false,
      detail: 'cost unknown: no price for acme/new; $0.50 is known',
    });
    expect(judge(1, '0', { calls: 0 })).toEqual({
      pass: false,
      detail: 'cost unknown: no call was recorded',
    });
  });

  test('says when tokens were estimated', () => {
    expect(judge(1, '0.5', { calls: 3, estimatedCalls: 2 }).detail).toBe(
      '$0.50 < $1.00, 2 of 3 calls estimated',
    );
  });

  test('compares exactly, whatever the amounts', () => {
    const amount = fc.bigInt({ min: 0n, max: 10n ** 16n });
    fc.assert(
      fc.property(amount, fc.oneof(amount, fc.constantFrom(-1n, 0n, 1n)), (threshold, other) => {
        const cost = other <= 1n ? threshold + other : other;
        fc.pre(cost >= 0n);
        const usd = (pico: bigint): string =>
          `${pico / 10n ** 12n}.${String(pico % 10n ** 12n).padStart(12, '0')}`;
        const { pass, detail = '' } = judge(usd(threshold), usd(cost));
        expect(pass).toBe(cost <= threshold);
        const [left, sign, right] = detail.split(' ');
        expect(sign).toBe(cost < threshold ? '<' : cost > threshold ? '>' : '=');
        expect(left === right).toBe(sign === '=');
      }),
    );
  });

  test('refuses a threshold that is none, unknown options, and to apply to nothing', () => {
    for (const threshold of [Number.NaN, -1, 'cheap', undefined] as number[]) {
      expect(() => new MaxCostUSD({ threshold })).toThrow(ConfigError);
    }
    const misspelt = { threshold: 1, aplyTo: ['a'] };
    expect(() => new MaxCostUSD(misspelt)).toThrow(/no option "aplyTo"/);
    expect(() => new MaxCostUSD({ threshold: 1, applyTo: [] })).toThrow(/at least one case/);
  });
});
