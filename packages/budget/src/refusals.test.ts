import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { BudgetAnnouncer } from './budget-announcer.ts';
import type { Limit } from './budget-limit.ts';
import { checkGuardOptions } from './guard-options.ts';
import { LedgerUnits } from './ledger-units.ts';
import { Refusals } from './refusals.ts';

const general: Limit = {
  name: 'daily',
  unit: 'usd',
  amount: 1n,
  attribute: undefined,
  window: 'daily',
  hours: 24,
};
const byUser: Limit = { ...general, attribute: 'userId' };

function world() {
  const settings = checkGuardOptions({});
  const refusals = new Refusals(settings, new LedgerUnits(1n), new BudgetAnnouncer(settings));
  const refuse = (limit: Limit, value?: string): void => {
    refusals.note({ guard: 'g', limit, value, committed: 1n, held: 0n, needed: 1n, nowMs: 0 });
  };
  return { refusals, refuse };
}

test('the limits that refused last are remembered, however many values come and go', () => {
  const { refusals, refuse } = world();
  for (let i = 0; i < 30_000; i++) {
    refuse(byUser, `user-${i}`);
    if (i % 10 === 0) refuse(general);
    if (i % 4_000 === 0) refuse(byUser, 'now and then');
  }
  expect(refusals.countOf(general, undefined)).toBe(3_000);
  expect(refusals.countOf(byUser, 'now and then')).toBe(8);
  const known = Array.from({ length: 30_000 }, (_, i) => refusals.countOf(byUser, `user-${i}`));
  expect(known.slice(-4_998)).toEqual(new Array(4_998).fill(1));
  expect(known.filter((count) => count > 0).length).toBeLessThanOrEqual(10_000);
});

test('200,000 refusals of the same limits leave the heap as it was', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const { refusals, refuse } = world();
  const run = (count: number): number => {
    for (let i = 0; i < count; i++) refuse(byUser, `user-${i % 3}`);
    collect();
    return process.memoryUsage().heapUsed;
  };
  run(5_000);
  const before = run(5_000);
  const after = run(200_000);
  expect(after - before).toBeLessThan(1_000_000);
  expect(refusals.countOf(byUser, 'user-0')).toBeGreaterThan(70_000);
});
