/** The books find what is wrong: each rule, broken once. */
import type { Attempt, CostRecord } from '@synapsekit/core';
import { usdDecimal } from '@synapsekit/core';
import type { SimulatedRequest } from '@synapsekit/testing';
import { describe, expect, test } from 'vitest';
import { Books } from './books.ts';
import { Violations } from './violations.ts';

interface Story {
  readonly outcome?: Attempt['outcome'];
  readonly billed?: bigint;
  readonly tracker?: bigint;
  readonly guard?: bigint;
  readonly billedInput?: number;
  readonly output?: number;
}

const attemptId = 'attempt-1';

function tell(books: Books, { outcome, billed, tracker, guard, billedInput = 9, output = 1 }: Story): void {
  if (outcome !== undefined) books.attempt({ attemptId, outcome, id: 'm' } as Attempt, 'user-1');
  if (tracker !== undefined) {
    const usage = { inputTokens: 9, outputTokens: output };
    books.record({ attemptId, costUsdExact: usdDecimal(tracker), usage } as CostRecord);
  }
  if (guard !== undefined) {
    books.booking({ version: 1, type: 'booking', guard: 'g', attemptId, amountUsd: usdDecimal(guard) });
  }
  const line = billed === undefined ? undefined : { amountPico: billed, inputTokens: billedInput };
  books.request({ attemptId, model: 'm', billed: line } as SimulatedRequest);
}

function findings(story: Story): readonly string[] {
  const violations = new Violations();
  const books = new Books(violations);
  tell(books, story);
  books.settle();
  return violations.list().map(({ kind }) => kind);
}

describe('what may be', () => {
  test.each<[string, Story]>([
    ['served', { outcome: 'served', billed: 10n, tracker: 10n, guard: 10n }],
    ['refused', { outcome: 'refused' }],
    ['never sent', { outcome: 'unsent' }],
    ['cut short, with something on the line', { outcome: 'partial', billed: 10n, tracker: 8n, guard: 8n }],
    ['left before an error came', { outcome: 'partial', tracker: 3n, guard: 3n, output: 0 }],
    ['lost before it was made', { outcome: 'unanswered', tracker: 3n, guard: 50n }],
    ['lost after it was made', { outcome: 'unanswered', billed: 10n, tracker: 3n, guard: 50n }],
  ])('%s', (_, story) => {
    expect(findings(story)).toEqual([]);
  });
});

describe('what may not be', () => {
  test.each<[finding: string, Story]>([
    [
      'served: the tracker did not record what was billed',
      { outcome: 'served', billed: 10n, tracker: 9n, guard: 10n },
    ],
    [
      'served: the guard did not book what was billed',
      { outcome: 'served', billed: 10n, tracker: 10n, guard: 9n },
    ],
    ['served: the guard did not book what was billed', { outcome: 'served', billed: 10n, tracker: 10n }],
    ['refused: it was billed', { outcome: 'refused', billed: 10n }],
    ['unsent: it was booked', { outcome: 'unsent', tracker: 1n }],
    ['partial: more was booked than billed', { outcome: 'partial', billed: 7n, tracker: 8n, guard: 8n }],
    [
      'partial: tracker and guard booked different amounts',
      { outcome: 'partial', billed: 9n, tracker: 8n, guard: 7n },
    ],
    [
      'partial: the input was not booked in full',
      { outcome: 'partial', billed: 9n, tracker: 8n, guard: 8n, billedInput: 10 },
    ],
    ['partial: output was booked, and nothing billed', { outcome: 'partial', tracker: 3n, guard: 3n }],
    ['unanswered: nothing was recorded', { outcome: 'unanswered', guard: 50n }],
    [
      'unanswered: the guard booked less than was billed',
      { outcome: 'unanswered', billed: 10n, tracker: 3n, guard: 9n },
    ],
    [
      'unanswered: more was recorded than billed',
      { outcome: 'unanswered', billed: 2n, tracker: 3n, guard: 50n },
    ],
    ['unreported: nobody was told of this attempt', { billed: 10n, tracker: 10n, guard: 10n }],
  ])('%s', (finding, story) => {
    expect(findings(story)).toContain(finding);
  });

  test('an attempt that is sent, told or recorded twice', () => {
    const violations = new Violations();
    const books = new Books(violations);
    for (let time = 0; time < 2; time++)
      tell(books, { outcome: 'served', billed: 10n, tracker: 10n, guard: 10n });
    expect(violations.list().map(({ kind }) => kind)).toEqual([
      'an attempt was reported twice',
      'the tracker recorded an attempt twice',
      'an attempt was sent twice',
    ]);
  });
});

test('sums are kept, and what nobody can know is told apart', () => {
  const books = new Books(new Violations());
  const stories: readonly Story[] = [
    { outcome: 'served', billed: 10n, tracker: 10n, guard: 10n },
    { outcome: 'partial', billed: 10n, tracker: 8n, guard: 8n },
    { outcome: 'unanswered', billed: 10n, tracker: 3n, guard: 50n },
  ];
  for (const story of stories) {
    tell(books, story);
    books.settle();
  }
  expect(books.totals).toEqual({
    attempts: 3,
    billedPico: 30n,
    trackerPico: 21n,
    guardPico: 68n,
    unseenPico: 2n,
    cautionPico: 40n,
  });
  expect(books.byUser.get('user-1')).toEqual({ trackerPico: 21n, guardPico: 68n });
  expect(Object.fromEntries(books.outcomes)).toEqual({ served: 1, partial: 1, unanswered: 1 });
});
