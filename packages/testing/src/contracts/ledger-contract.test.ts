import type { InspectableLedger, LedgerWindow, PostRequest, ReserveRequest } from '@synapsekit/core';
import { describe, expect, test } from 'vitest';
import { ManualClock } from '../manual-clock.ts';
import type { CreateLedgerBackend } from './ledger-check.ts';
import { describeLedgerStore, ledgerContract } from './ledger-contract.ts';
import { ModelLedger } from './ledger-model.ts';

/** The model, or what `break_` makes of it. */
const backendOf =
  (breakIt: (ledger: ModelLedger, clock: ManualClock) => Partial<InspectableLedger>): CreateLedgerBackend =>
  () => {
    const clock = new ManualClock();
    const ledger = new ModelLedger(clock);
    const store: InspectableLedger = {
      unitPico: 1n,
      reserve: (request) => ledger.reserve(request),
      post: (request) => ledger.post(request),
      close: (holdId) => ledger.close(holdId),
      renew: (holdId, leaseMs) => ledger.renew(holdId, leaseMs),
      status: (keys) => ledger.status(keys),
      counters: (query) => ledger.counters(query),
      holds: (query) => ledger.holds(query),
      reset: (key) => ledger.reset(key),
      flush: () => ledger.flush(),
      dispose: () => ledger.dispose(),
      ...breakIt(ledger, clock),
    };
    return { open: () => store, advance: (ms) => clock.advance(ms) };
  };

describeLedgerStore(
  'The plain model',
  backendOf(() => ({})),
);

/** The ledger in other windows than those it is asked for. */
function inWindows(
  ledger: ModelLedger,
  other: (window: LedgerWindow) => LedgerWindow,
): Partial<InspectableLedger> {
  const moved = <T extends { readonly window: LedgerWindow }>(line: T): T => ({
    ...line,
    window: other(line.window),
  });
  return {
    reserve: (request) => ledger.reserve({ ...request, lines: request.lines.map(moved) }),
    post: (request) =>
      ledger.post({ ...request, lines: request.lines.map(moved) }).map((crossed) => {
        const { window } = request.lines.find(({ key }) => key === crossed.key) ?? crossed;
        return { ...crossed, window };
      }),
    status: (keys) =>
      ledger
        .status(keys.map(moved))
        .map((status, i) => ({ ...status, window: keys[i]?.window ?? status.window })),
    reset: (key) => ledger.reset(moved(key)),
  };
}

/** The ledger with so many parts more or less in every rolling window. */
function withParts(ledger: ModelLedger, more: number): Partial<InspectableLedger> {
  return inWindows(ledger, (window) => {
    if (window.lengthMs === undefined || window.slots + more < 1) return window;
    const { id, lengthMs, slots } = window;
    return { id, lengthMs: (lengthMs / slots) * (slots + more), slots: slots + more };
  });
}

/** Two ledgers on one place, each with what it knows by itself. */
const eachOnItsOwn =
  (wrap: (ledger: ModelLedger) => Partial<InspectableLedger>): CreateLedgerBackend =>
  async () => {
    const { open, advance } = await backendOf(() => ({}))();
    const shared = await open();
    return { open: () => ({ ...shared, ...wrap(shared as unknown as ModelLedger) }), advance };
  };

/** Tells marks by itself, and remembers in `told` which ones. */
function tellsMarks(
  ledger: ModelLedger,
  isTold: (mark: bigint, key: string, post: string) => boolean,
): Partial<InspectableLedger> {
  return {
    post(request) {
      ledger.post({ ...request, lines: request.lines.map((line) => ({ ...line, marks: undefined })) });
      const now = ledger.status(request.lines);
      return request.lines.flatMap(({ key, window, marks = [] }, i) => {
        const committed = now[i]?.committed ?? 0n;
        return marks
          .filter(
            (mark) =>
              committed >= mark &&
              !isTold(mark, `${key} ${window.id}`, `${request.kind} ${request.attemptId}`),
          )
          .map((mark) => ({ key, window, mark, committed }));
      });
    },
  };
}

const turn = (): Promise<unknown> => new Promise((resolve) => setImmediate(resolve));
let serial = 0;

/** Each is a store as somebody might write it. */
const faultyStores: Readonly<Record<string, CreateLedgerBackend>> = {
  'looks, waits, and then holds': backendOf((ledger) => ({
    async reserve(request) {
      const seen = await ledger.status(request.lines);
      await turn();
      const fits = request.lines.every(({ limit, amount }, i) => {
        const { committed = 0n, held = 0n } = seen[i] ?? {};
        return committed + held + amount <= limit;
      });
      const lines = request.lines.map((line) => ({ ...line, limit: fits ? 10n ** 18n : line.limit }));
      return ledger.reserve({ ...request, lines });
    },
  })),
  'is one short of the limit': backendOf((ledger) => ({
    reserve: (request) =>
      ledger.reserve({
        ...request,
        lines: request.lines.map((line) => ({ ...line, limit: line.limit - 1n })),
      }),
  })),
  'keeps the lines before the one that refused': backendOf((ledger) => ({
    reserve(request) {
      const result = ledger.reserve(request);
      if (!result.admitted) {
        for (const line of request.lines) {
          if (line.key === result.refused.key) break;
          ledger.reserve({ ...request, holdId: `leak-${serial++}`, lines: [line] });
        }
      }
      return result;
    },
  })),
  'holds again when it is asked again': backendOf((ledger) => ({
    reserve: (request) => ledger.reserve({ ...request, holdId: `${request.holdId}-${serial++}` }),
  })),
  'books every time it is told': backendOf((ledger) => ({
    post: (request) => ledger.post({ ...request, attemptId: `${request.attemptId}-${serial++}` }),
  })),
  'books no more than was held': backendOf((ledger) => ({
    post(request: PostRequest) {
      if (request.holdId === undefined) return ledger.post(request);
      const lines = request.lines.map((line) => ({
        ...line,
        amount: line.amount > 1_000n ? 1_000n : line.amount,
      }));
      return ledger.post({ ...request, lines });
    },
  })),
  'counts in doubles': backendOf((ledger) => ({
    post: (request) =>
      ledger.post({
        ...request,
        lines: request.lines.map((line) => ({ ...line, amount: BigInt(Math.fround(Number(line.amount))) })),
      }),
  })),
  'counts in doubles above 2^53': backendOf((ledger) => ({
    reserve: (request) =>
      ledger.reserve({
        ...request,
        lines: request.lines.map((line) => ({ ...line, amount: BigInt(Number(line.amount)) })),
      }),
  })),
  'wraps around at 64 bits': backendOf((ledger) => ({
    reserve(request) {
      const seen = ledger.status(request.lines);
      const fits = request.lines.every(({ amount, limit }, i) => {
        const { committed = 0n, held = 0n } = seen[i] ?? {};
        return BigInt.asIntN(64, committed + held + amount) <= limit;
      });
      const big = 2n ** 62n;
      const [line] = request.lines;
      const isWrapped =
        fits && line?.amount === big && (seen[0]?.committed ?? 0n) + (seen[0]?.held ?? 0n) > 0n;
      return isWrapped ? { admitted: true } : ledger.reserve(request);
    },
  })),
  'takes estimates for actual costs': backendOf((ledger) => ({
    post: (request) => ledger.post({ ...request, kind: 'actual' }),
  })),
  'never lets a lease end': backendOf((ledger) => ({
    reserve: (request) => ledger.reserve({ ...request, leaseMs: 1e12 }),
  })),
  'frees what a dead owner had spent': backendOf((ledger) => ({
    reserve: (request) => ledger.reserve({ ...request, onExpiry: 'release' }),
  })),
  'mixes windows up': backendOf((ledger) => inWindows(ledger, () => ({ id: 'one' }))),
  'forgets to close': backendOf(() => ({ close() {} })),
  'says that it renewed whatever it was': backendOf((ledger) => ({
    renew: (holdId, leaseMs) => ledger.renew(holdId, leaseMs) || true,
  })),
  'forgets a rolling window one part too soon': backendOf((ledger) => withParts(ledger, -1)),
  'keeps a rolling window one part too long': backendOf((ledger) => withParts(ledger, 1)),
  'takes a rolling window for one of the calendar': backendOf((ledger) =>
    inWindows(ledger, ({ id }) => ({ id })),
  ),
  'begins a rolling window anew': backendOf((ledger, clock) =>
    inWindows(ledger, ({ id, lengthMs }) => ({
      id: lengthMs === undefined ? id : `${id} ${Math.floor(clock.now() / lengthMs)}`,
    })),
  ),
  'books when it is told and not when the hold was admitted': backendOf((ledger) => {
    const names = new Map<string, string>();
    const asked = new Map<string, ReserveRequest>();
    const named = (holdId: string): string => names.get(holdId) ?? holdId;
    return {
      reserve(request) {
        asked.set(request.holdId, request);
        return ledger.reserve({ ...request, holdId: named(request.holdId) });
      },
      post(request) {
        const { holdId } = request;
        const hold = ledger.holds().find((each) => each.holdId === named(holdId ?? ''));
        const before = asked.get(holdId ?? '');
        if (holdId === undefined || hold === undefined || before === undefined) return ledger.post(request);
        ledger.close(hold.holdId);
        names.set(holdId, `${holdId} again ${serial++}`);
        const lines = hold.lines.map((line) => ({ ...line, amount: line.left, limit: 2n ** 62n }));
        ledger.reserve({ ...before, holdId: named(holdId), lines });
        return ledger.post({ ...request, holdId: named(holdId) });
      },
      close: (holdId) => ledger.close(named(holdId)),
      renew: (holdId, leaseMs) => ledger.renew(named(holdId), leaseMs),
    };
  }),
  'moves an estimate to when it is replaced': backendOf((ledger) => {
    const estimated = new Set<string>();
    return {
      post(request) {
        const { attemptId, kind, lines } = request;
        if (kind === 'estimated') estimated.add(attemptId);
        const isRolling = lines.every(({ window }) => window.lengthMs !== undefined);
        if (isRolling && kind === 'actual' && estimated.delete(attemptId)) {
          ledger.post({ ...request, lines: lines.map((line) => ({ ...line, amount: 0n })), close: false });
          return ledger.post({ ...request, attemptId: `${attemptId} now`, holdId: undefined });
        }
        return ledger.post(request);
      },
    };
  }),
  'tells a mark at every post': backendOf((ledger) => tellsMarks(ledger, () => false)),
  'never tells a mark': backendOf((ledger) => tellsMarks(ledger, () => true)),
  'tells a mark in every process': eachOnItsOwn((ledger) => {
    const told = new Map<string, string>();
    return tellsMarks(ledger, (mark, key, post) => {
      const teller = told.get(`${mark} ${key}`) ?? post;
      told.set(`${mark} ${key}`, teller);
      return teller !== post;
    });
  }),
  'tells a mark once and never again': backendOf((ledger) => {
    const told = new Set<string>();
    return tellsMarks(ledger, (mark, key) => {
      const isTold = told.has(`${mark} ${key}`);
      told.add(`${mark} ${key}`);
      return isTold;
    });
  }),
  'tells a mark of a rolling window once for ever': backendOf((ledger) => {
    const told = new Map<string, string>();
    return tellsMarks(ledger, (mark, key, post) => {
      const teller = told.get(`${mark} ${key}`) ?? post;
      told.set(`${mark} ${key}`, teller);
      return teller !== post;
    });
  }),
  'tells only what the post itself crossed': backendOf((ledger) => ({
    post(request) {
      const before = ledger.status(request.lines);
      return ledger.post(request).filter(({ key, mark }) => {
        const { committed = 0n } = before.find((status) => status.key === key) ?? {};
        return committed < mark;
      });
    },
  })),
  'lists holds in the order in which they came': backendOf((ledger) => ({
    holds: (query) => [...ledger.holds(query)].sort((a, b) => (a.holdId < b.holdId ? -1 : 1)),
  })),
  'lists what its prefix only contains': backendOf((ledger) => ({
    counters: ({ prefix = '', maxCount } = {}) =>
      ledger.counters({ maxCount }).filter(({ key }) => key.includes(prefix)),
  })),
  'lists everything': backendOf((ledger) => ({
    counters: (query) => ledger.counters({ ...query, maxCount: 1e9 }),
  })),
  'does not show the limit': backendOf((ledger) => ({
    counters: (query) => ledger.counters(query).map(({ limit, ...counter }) => counter),
  })),
  'frees holds with a reset': backendOf((ledger) => ({
    reset(key) {
      for (const { holdId } of ledger.holds({ prefix: key.key })) ledger.close(holdId);
      ledger.reset(key);
    },
  })),
  'resets every window of a key': backendOf((ledger) => ({
    reset({ key }) {
      for (const counter of ledger.counters({ prefix: key })) ledger.reset(counter);
    },
  })),
  'forgets with a reset what was booked': backendOf((ledger) => {
    let resets = 0;
    return {
      post: (request) => ledger.post({ ...request, attemptId: `${request.attemptId} ${resets}` }),
      reset(key) {
        resets += 1;
        ledger.reset(key);
      },
    };
  }),
  'does nothing at a reset': backendOf(() => ({ reset() {} })),
  'lets in nobody': backendOf((ledger) => ({
    reserve: (request) =>
      ledger.reserve({ ...request, lines: request.lines.map((line) => ({ ...line, limit: -1n })) }),
  })),
};

describe('the suite catches a store that', () => {
  test.each(Object.entries(faultyStores))('%s', async (_, create) => {
    const broken: string[] = [];
    for (const check of Object.values(ledgerContract).flat()) {
      await check.run(create).catch(() => broken.push(check.name));
      if (broken.length > 0) break;
    }
    expect(broken).not.toEqual([]);
  });
});
