import type {
  CrossedMark,
  InspectableLedger,
  LedgerKey,
  LedgerStatus,
  PostRequest,
  ReserveRequest,
} from '@synapsekit/core';
import fc from 'fast-check';
import { keyOf, most, recentOf } from './ledger-check.ts';

/** What is done to a ledger, one after the other. */
export type Step =
  | { readonly do: 'reserve'; readonly request: ReserveRequest }
  | { readonly do: 'post'; readonly request: PostRequest }
  | { readonly do: 'close'; readonly holdId: string }
  | { readonly do: 'renew'; readonly holdId: string; readonly leaseMs: number }
  | { readonly do: 'advance'; readonly ms: number }
  | { readonly do: 'reset'; readonly key: LedgerKey };

/** All times are multiples of it, and all parts of windows: how long the steps themselves take does not matter then. */
export const tickMs = 30_000;

/** What a sequence is made of. */
export interface Subject {
  readonly keys: readonly LedgerKey[];
  readonly limit: bigint;
  readonly reserved: fc.Arbitrary<bigint>;
  readonly posted: fc.Arbitrary<bigint>;
  readonly marks: readonly bigint[];
  readonly attemptIds: readonly string[];
  readonly onExpiry: readonly ReserveRequest['onExpiry'][];
}

const small = fc.bigInt({ min: 0n, max: 60n });
const calendar = [keyOf('daily'), keyOf('daily', '2026-11-24@UTC'), keyOf('monthly')];
const rolling = [
  recentOf('recent', 2 * tickMs, 1),
  recentOf('recent', 4 * tickMs, 4),
  recentOf('last', 3 * tickMs, 3),
];
const ordinary = {
  limit: 100n,
  reserved: small,
  posted: small,
  marks: [20n, 50n, 100n, 101n],
  attemptIds: ['x1', 'x2', 'x3', 'x4', 'x5'],
  onExpiry: ['release', 'book'] as const,
};

/** A little more or less than the figures at which doubles and 64-bit integers give up. */
const large = fc.oneof(
  fc
    .tuple(fc.constantFrom(0n, 2n ** 53n, 2n ** 60n, most / 2n, most), fc.bigInt({ min: -3n, max: 3n }))
    .map(([near, by]) => between(near + by, most)),
  fc.bigInt({ min: 0n, max: most }),
);
const committedAtOnce = 2n ** 60n;

/** What sequences are about, by what it is called. */
export const subjects: Readonly<Record<string, Subject>> = {
  'windows of the calendar': { ...ordinary, keys: calendar },
  // Without marks: what is told when an expiry books while a part leaves depends on who looks when.
  'rolling windows': { ...ordinary, keys: [...rolling, ...calendar], marks: [] },
  'marks in rolling windows': { ...ordinary, keys: [...rolling, ...calendar], onExpiry: ['release'] },
  // All that can be committed fits into 64 bits with a sign.
  'the largest figures': {
    keys: [keyOf('daily'), recentOf('recent', 4 * tickMs, 4)],
    limit: most,
    reserved: large,
    posted: large.map((amount) => between(amount, committedAtOnce)),
    marks: [2n ** 53n, 2n ** 53n + 1n, committedAtOnce, committedAtOnce + 1n, most],
    attemptIds: ['x1', 'x2', 'x3'],
    onExpiry: ['release'],
  },
};

function between(amount: bigint, largest: bigint): bigint {
  return amount < 0n ? 0n : amount > largest ? largest : amount;
}

const holdIds = ['h1', 'h2', 'h3', 'h4'];
const plain = { noNullPrototype: true } as const;

/** Any step on a subject. */
export function stepsOf(subject: Subject): fc.Arbitrary<Step> {
  const { keys, limit, marks, attemptIds, onExpiry } = subject;
  const lineSets = <T extends { readonly amount: bigint }>(line: fc.Arbitrary<T>) =>
    fc
      .subarray([...keys], { minLength: 1 })
      // A key stands in one line only: never in two of its windows.
      .map((picked) => picked.filter(({ key }, i) => picked.findIndex((other) => other.key === key) === i))
      .chain((picked) =>
        fc
          .array(line, { minLength: picked.length, maxLength: picked.length })
          .map((lines) => lines.map((each, i) => ({ ...(picked[i] as LedgerKey), ...each }))),
      );
  const reserveLine = fc.record({ amount: subject.reserved, limit: fc.constant(limit) }, plain);
  const postLine = fc.record({ amount: subject.posted, marks: fc.subarray([...marks]) }, plain);
  const reserve = fc.record(
    {
      holdId: fc.constantFrom(...holdIds),
      lines: lineSets(reserveLine),
      leaseMs: fc.constantFrom(2 * tickMs, 6 * tickMs, 1_000 * tickMs),
      onExpiry: fc.constantFrom(...onExpiry),
    },
    plain,
  );
  const post = fc.record(
    {
      attemptId: fc.constantFrom(...attemptIds),
      lines: lineSets(postLine),
      kind: fc.constantFrom('actual' as const, 'estimated' as const),
      holdId: fc.constantFrom(...holdIds, undefined),
      close: fc.boolean(),
    },
    plain,
  );
  const holdId = fc.constantFrom(...holdIds);
  return fc.oneof(
    { weight: 4, arbitrary: reserve.map((request) => ({ do: 'reserve' as const, request })) },
    { weight: 4, arbitrary: post.map((request) => ({ do: 'post' as const, request })) },
    { weight: 2, arbitrary: holdId.map((id) => ({ do: 'close' as const, holdId: id })) },
    {
      weight: 2,
      arbitrary: holdId.map((id) => ({ do: 'renew' as const, holdId: id, leaseMs: 4 * tickMs })),
    },
    {
      weight: 3,
      arbitrary: fc.constantFrom(1, 3).map((ticks) => ({ do: 'advance' as const, ms: ticks * tickMs })),
    },
    { weight: 1, arbitrary: fc.constantFrom(...keys).map((key) => ({ do: 'reset' as const, key })) },
  );
}

/** Carries out one step and tells what came of it, in words that can be compared. */
export async function carryOut(
  step: Step,
  ledger: InspectableLedger,
  advance: (ms: number) => unknown,
): Promise<string> {
  try {
    if (step.do === 'reserve') {
      const result = await ledger.reserve(step.request);
      return result.admitted ? 'admitted' : `refused at ${result.refused.key}: ${figures([result.refused])}`;
    }
    if (step.do === 'post') return `told ${(await ledger.post(step.request)).map(inWords).join(', ')}`;
    if (step.do === 'renew') return `renewed: ${await ledger.renew(step.holdId, step.leaseMs)}`;
    if (step.do === 'close') await ledger.close(step.holdId);
    else if (step.do === 'reset') await ledger.reset(step.key);
    else await advance(step.ms);
    return 'done';
  } catch (error) {
    return `threw ${(error as { code?: string }).code}`;
  }
}

function inWords({ key, window, mark, committed }: CrossedMark): string {
  return `${mark} of ${key} in ${window.id} at ${committed}`;
}

/** What is committed and held, counter by counter. */
export function figures(statuses: readonly LedgerStatus[]): string {
  return statuses.map(({ committed, held }) => `${committed}+${held}`).join(' ');
}

/** What the tools see. Counters on which nothing is may be forgotten. */
export async function inventory(ledger: InspectableLedger): Promise<readonly string[]> {
  const counters = (await ledger.counters())
    .filter(({ committed, held }) => committed > 0n || held > 0n)
    .map(
      ({ key, window, limit, ...figure }) => `${key} ${window.id}: ${figures([{ key, window, ...figure }])}`,
    );
  const holds = (await ledger.holds())
    .map(({ holdId, lines, onExpiry }) => `${holdId} ${onExpiry}: ${lines.map(({ left }) => left).join(' ')}`)
    .sort();
  return [...counters, ...holds];
}
