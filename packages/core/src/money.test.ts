import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConfigError } from './errors.ts';
import { formatUsd, parseUsd, usdDecimal, usdNumber } from './money.ts';

describe('parseUsd', () => {
  test.each([
    [0.1, 100_000_000_000n],
    ['0.1', 100_000_000_000n],
    [5e-8, 50_000n],
    ['5e-8', 50_000n],
    [0, 0n],
    ['-0', 0n],
    [1e21, 10n ** 33n],
    ['12.', 12_000_000_000_000n],
    [Number.MIN_VALUE, 1n],
  ])('reads %s', (usd, pico) => {
    expect(parseUsd(usd)).toBe(pico);
  });

  test('rounds against the spender below one pico-dollar, or refuses', () => {
    expect(parseUsd('0.0000000000001')).toBe(1n);
    expect(() => parseUsd('0.0000000000001', 'limit', 'exact')).toThrow('limit must be whole pico-dollars');
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, -0.01, '-1', '', 'ten', '1,5', '0x10', '1e9999', '１'])(
    'refuses %s',
    (usd) => {
      expect(() => parseUsd(usd, 'daily')).toThrow(ConfigError);
      expect(() => parseUsd(usd, 'daily')).toThrow('daily');
    },
  );

  test('is the inverse of usdDecimal', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 24n }), (pico) => {
        expect(parseUsd(usdDecimal(pico))).toBe(pico);
      }),
    );
  });

  test('sums of decimals stay exact where doubles drift', () => {
    expect(usdDecimal(parseUsd(0.1) + parseUsd(0.1) + parseUsd(0.1))).toBe('0.3');
    let sum = 0n;
    for (let i = 0; i < 1_000_000; i++) sum += 2_850_000n;
    expect(usdDecimal(sum)).toBe('2.85');
  });
});

describe('usdNumber', () => {
  test('is the nearest double', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e6, noNaN: true }), (usd) => {
        const rounded = Number(usd.toFixed(12));
        expect(usdNumber(parseUsd(rounded))).toBe(rounded);
      }),
    );
  });
});

describe('formatUsd', () => {
  test.each([
    [0, '$0.00'],
    [0.1, '$0.10'],
    [0.0312, '$0.0312'],
    [0.0000023, '$0.0000023'],
    [0.001, '$0.001'],
    [12.5, '$12.50'],
    [0.034217, '$0.0342'],
    [0.009999, '$0.01'],
    [1234.567, '$1234.57'],
    ['0.000000000001', '$0.000000000001'],
    [-0.5, '-$0.50'],
    [-12_500_000_000_000n, '-$12.50'],
  ])('prints %s as %s', (amount, text) => {
    expect(formatUsd(amount)).toBe(text);
  });

  test('never prints zero for a cost that is not zero', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 10n ** 15n }), (pico) => {
        expect(formatUsd(pico)).toMatch(/[1-9]/);
      }),
    );
  });
});
