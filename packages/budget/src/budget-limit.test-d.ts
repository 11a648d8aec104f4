import { expectTypeOf, test } from 'vitest';
import type { BudgetLimit, RollingLimit, SpendLimits } from './index.ts';

test('dollars are numbers or exact decimal strings, tokens are numbers', () => {
  expectTypeOf<{ perRequest: 0.1; daily: '49.999999'; monthly: 1_000 }>().toMatchTypeOf<BudgetLimit>();
  expectTypeOf<{ tokens: { hourly: 2_000_000 } }>().toMatchTypeOf<BudgetLimit>();
  const limit: BudgetLimit = {
    // @ts-expect-error Tokens are whole numbers, never strings.
    tokens: { hourly: '2000000' },
  };
  expectTypeOf(limit.daily).toEqualTypeOf<number | string | undefined>();
});

test('a misspelt limit does not compile', () => {
  // @ts-expect-error It is called daily.
  const limit: BudgetLimit = { perDay: 50 };
  // @ts-expect-error Dollars are no bigint.
  const pico: BudgetLimit = { daily: 50n };
  expectTypeOf([limit, pico]).toEqualTypeOf<BudgetLimit[]>();
});

test('a rolling limit names its window in seconds; there may be several', () => {
  type Rolling = RollingLimit<number | string>;
  expectTypeOf<BudgetLimit['rolling']>().toEqualTypeOf<Rolling | readonly Rolling[] | undefined>();
  // @ts-expect-error How long?
  const limit: BudgetLimit = { rolling: { limit: 5 } };
  expectTypeOf(limit).toEqualTypeOf<BudgetLimit>();
});

test('limits by attribute are fixed or come from a function of its value', () => {
  const limit: BudgetLimit = {
    by: {
      userId: { daily: 1, tokens: { daily: 100_000 } },
      tenant: (value) => {
        expectTypeOf(value).toBeString();
        return value === 'acme' ? { monthly: '500' } : undefined;
      },
    },
  };
  expectTypeOf(limit.by?.userId).toEqualTypeOf<
    SpendLimits | ((value: string) => SpendLimits | undefined) | undefined
  >();
  // @ts-expect-error Limits by attribute do not nest.
  const nested: BudgetLimit = { by: { userId: { by: { feature: { daily: 1 } } } } };
  expectTypeOf(nested).toEqualTypeOf<BudgetLimit>();
});
