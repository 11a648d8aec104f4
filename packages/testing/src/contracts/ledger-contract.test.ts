import type { LedgerStore, PostRequest } from '@synapsekit/core';
import { describe, expect, test } from 'vitest';
import { ManualClock } from '../manual-clock.ts';
import type { CreateLedgerBackend } from './ledger-check.ts';
import { describeLedgerStore, ledgerContract } from './ledger-contract.ts';
import { ModelLedger } from './ledger-model.ts';

/** The model, or what `break_` makes of it. */
const backendOf =
  (breakIt: (ledger: ModelLedger, clock: ManualClock) => Partial<LedgerStore>): CreateLedgerBackend =>
  () => {
    const clock = new ManualClock();
    const ledger = new ModelLedger(clock);
    const store: LedgerStore = {
      unitPico: 1n,
      reserve: (request) => ledger.reserve(request),
      post: (request) => ledger.post(request),
      close: (holdId) => ledger.close(holdId),
      renew: (holdId, leaseMs) => ledger.renew(holdId, leaseMs),
      status: (keys) => ledger.status(keys),
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
  'takes estimates for actual costs': backendOf((ledger) => ({
    post: (request) => ledger.post({ ...request, kind: 'actual' }),
  })),
  'never lets a lease end': backendOf((ledger) => ({
    reserve: (request) => ledger.reserve({ ...request, leaseMs: 1e12 }),
  })),
  'frees what a dead owner had spent': backendOf((ledger) => ({
    reserve: (request) => ledger.reserve({ ...request, onExpiry: 'release' }),
  })),
  'mixes windows up': backendOf((ledger) => ({
    reserve: (request) =>
      ledger.reserve({
        ...request,
        lines: request.lines.map((line) => ({ ...line, window: { id: 'one' } })),
      }),
    post: (request) =>
      ledger.post({ ...request, lines: request.lines.map((line) => ({ ...line, window: { id: 'one' } })) }),
    status: (keys) =>
      ledger
        .status(keys.map((key) => ({ ...key, window: { id: 'one' } })))
        .map((status, i) => ({ ...status, window: keys[i]?.window ?? status.window })),
  })),
  'forgets to close': backendOf(() => ({ close() {} })),
  'says that it renewed whatever it was': backendOf((ledger) => ({
    renew: (holdId, leaseMs) => ledger.renew(holdId, leaseMs) || true,
  })),
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
