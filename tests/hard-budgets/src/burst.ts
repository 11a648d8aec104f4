import { once } from 'node:events';
import { BudgetGuard } from '@synapsekit/budget';
import { isSynapseError, parseUsd } from '@synapsekit/core';
import { CostTracker } from '@synapsekit/cost';
import type { SimulatedProvider } from '@synapsekit/testing';
import type { BurstOutcome } from './child.ts';
import { startChild } from './children.ts';
import { claim, type Row, sameAmount } from './claims.ts';
import { dimePrices, dimeProvider, guardedDime } from './dime.ts';
import { type Place, patienceMs, type Store } from './store.ts';

const calls = 1_000;
const limitUsd = 5;
const fitting = 50;

/** 1,000 calls of $0.10 at once against $5.00: exactly 50 are admitted. */
export async function burst(store: Store, processes: 1 | 8): Promise<Row> {
  const startMs = performance.now();
  const place = store.place();
  await using provider = await dimeProvider();
  const outcomes =
    processes === 1
      ? [await burstHere(place, provider)]
      : await burstElsewhere(place.address ?? '', provider, processes);
  await provider.idle();
  const { ledger, close } = await place.open();
  const counters = await ledger.counters();
  const leakedHolds = (await ledger.holds()).length;
  await close();

  const sum = (of: (one: BurstOutcome) => number): number => outcomes.reduce((all, one) => all + of(one), 0);
  const admitted = sum((one) => one.admitted);
  const refused = sum((one) => one.refused);
  const failures = outcomes.flatMap((one) => one.failures);
  const bill = provider.bill.totalPico;
  const limit = parseUsd(limitUsd);
  const committed = counters.find(({ key }) => key === 'default/total')?.committed ?? 0n;
  return {
    scenario: '1,000 calls of $0.10 at once against $5.00',
    subject: `${store.name}, ${processes === 1 ? '1 process' : `${processes} processes`}`,
    calls,
    admitted,
    refused,
    overshootPico: bill > limit ? bill - limit : 0n,
    falseRefusals: Math.max(0, fitting - admitted),
    utilisation: Number(bill) / Number(limit),
    leakedHolds,
    seconds: (performance.now() - startMs) / 1000,
    claims: [
      claim(`exactly ${fitting} are admitted`, admitted === fitting, admitted),
      claim(
        'all others are refused by the budget',
        refused === calls - fitting,
        `${refused} ${failures[0] ?? ''}`,
      ),
      claim(
        `the provider was asked ${fitting} times`,
        provider.bill.entries.length === fitting,
        provider.bill.entries.length,
      ),
      sameAmount('what is committed is what the provider bills', committed, bill),
      claim('no hold is left', leakedHolds === 0, leakedHolds),
    ],
  };
}

async function burstHere(place: Place, provider: SimulatedProvider): Promise<BurstOutcome> {
  const { ledger, close } = await place.open();
  const tracker = new CostTracker({ prices: dimePrices });
  const guard = new BudgetGuard({ total: limitUsd }, { tracker, ledger, ledgerTimeoutMs: patienceMs });
  const llm = guardedDime(provider.openaiBaseURL, guard, tracker);
  const asked = Array.from({ length: calls }, () => llm.generate('A dime, please.'));
  const errors = (await Promise.allSettled(asked)).flatMap((result) =>
    result.status === 'rejected' ? [result.reason as unknown] : [],
  );
  await guard.dispose();
  await close();
  const failures = errors.filter((error) => !isSynapseError(error, 'budget-exceeded')).map(String);
  return { admitted: calls - errors.length, refused: errors.length - failures.length, failures };
}

async function burstElsewhere(
  address: string,
  provider: SimulatedProvider,
  processes: number,
): Promise<readonly BurstOutcome[]> {
  const children = await Promise.all(
    Array.from({ length: processes }, (_, index) =>
      startChild({
        name: `child-${index}`,
        address,
        baseURL: provider.openaiBaseURL,
        limitUsd,
        burst: calls / processes,
      }),
    ),
  );
  const outcomes = children.map(async (child) => {
    const ended = once(child, 'exit');
    const [outcome] = (await Promise.race([
      once(child, 'message'),
      ended.then(([code]) => {
        throw new Error(`A child ended with ${code} before it said what came of it.`);
      }),
    ])) as [BurstOutcome];
    await ended;
    return outcome;
  });
  for (const child of children) child.send('go');
  return Promise.all(outcomes);
}
