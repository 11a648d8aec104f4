import { LedgerError } from '@synapsekit/core';
import { expect, test } from 'vitest';
import type { Limit } from './budget-limit.ts';
import { refusalError } from './refusal.ts';
import { refusalToHttp } from './refusal-to-http.ts';

const nowMs = Date.UTC(2026, 10, 23, 12);
const facts = {
  guard: 'app',
  limit: {
    name: 'daily',
    unit: 'usd',
    amount: 1_000_000_000_000n,
    attribute: undefined,
    window: 'daily',
    hours: 24,
  } satisfies Limit,
  window: '2026-11-23',
  committed: 400_000_000_000n,
  held: 500_000_000_000n,
  needed: 200_000_000_000n,
  resetsAtMs: Date.UTC(2026, 10, 24),
  nowMs,
};

test('calls in flight will settle: 429, soon', () => {
  expect(refusalToHttp(refusalError(facts))).toEqual({
    status: 429,
    headers: { 'Content-Type': 'application/problem+json', 'Retry-After': '1' },
    body: {
      title: 'Budget exceeded',
      status: 429,
      detail: 'The budget is held by requests that are still running.',
      code: 'budget-exceeded',
      limit: 'daily',
      fits: 'in-flight',
      resetsAt: '2026-11-24T00:00:00.000Z',
    },
  });
});

test('the window will end: 429, then', () => {
  const refusal = refusalToHttp(refusalError({ ...facts, committed: 900_000_000_000n }));
  expect([refusal?.status, refusal?.headers['Retry-After']]).toEqual([429, String(12 * 3_600)]);
});

test('waiting does not help: 402, without Retry-After', () => {
  const refusal = refusalToHttp(refusalError({ ...facts, needed: 2_000_000_000_000n }));
  expect([refusal?.status, refusal?.headers['Retry-After']]).toEqual([402, undefined]);
});

test('the ledger is away: 503', () => {
  const away = refusalToHttp(new LedgerError('away', { transient: true }));
  expect([away?.status, away?.headers['Retry-After']]).toEqual([503, '5']);
  const broken = refusalToHttp(new LedgerError('broken', { transient: false }));
  expect([broken?.status, broken?.headers['Retry-After']]).toEqual([503, undefined]);
});

test('no amounts leave the house', () => {
  expect(JSON.stringify(refusalToHttp(refusalError(facts)))).not.toMatch(/\$|0\.[1-9]/);
});

test('other errors are none of its business', () => {
  expect(refusalToHttp(new Error('else'))).toBeUndefined();
  expect(refusalToHttp(undefined)).toBeUndefined();
});
