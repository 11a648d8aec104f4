import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { type InspectableLedger, parseUsd, usdDecimal } from '@synapsekit/core';
import { seededRandom } from '@synapsekit/testing';
import type { ChildWord } from './child.ts';
import { killChild, startChild } from './children.ts';
import { claim, type Row, sameAmount } from './claims.ts';
import { dimePico, dimeProvider } from './dime.ts';
import type { Store } from './store.ts';

/** How processes are killed. */
export interface KilledProcessesOptions {
  readonly seed: number;
  /** How many are killed, one every 200 ms. */
  readonly kills: number;
  readonly onProgress?: (kills: number) => void;
}

const processes = 8;
const everyMs = 200;
const workers = 4;
const leaseMs = 4_000;
/** More than is spent while processes are killed; those that live spend on until it is met. */
const limitUsdFor = (kills: number): number => 4 + 2 * kills;
const untilMetMs = 60_000;

/** Answers of one to ten tokens, the same for the same call. */
function saysTokens(callId: string): number {
  let hash = 7;
  for (const letter of callId) hash = (hash * 31 + letter.charCodeAt(0)) % 65_521;
  return 1 + (hash % 10);
}

/**
 * 8 processes spend from one budget; one of them is killed with SIGKILL every 200 ms, and another started. Every call has a
 * counter of its own beside the one of everybody, so that what is committed is compared with the bill call by call.
 */
export async function killedProcesses(store: Store, options: KilledProcessesOptions): Promise<Row> {
  const startMs = performance.now();
  const { seed, onProgress } = options;
  const random = seededRandom(seed);
  const place = store.place();
  const address = place.address ?? '';
  await using provider = await dimeProvider(saysTokens, 100);
  const limitUsd = limitUsdFor(options.kills);
  const limit = parseUsd(limitUsd);
  const { ledger, close } = await place.open();
  let started = 0;
  let dead = 0;
  /** Calls whose owner lived to say that they are over and booked. */
  const done = new Set<string>();
  /** Calls of which a living owner could not say that they are booked: the machine or the store was too slow. */
  const late = new Set<string>();
  let refused = 0;
  const start = async (): Promise<ChildProcess> => {
    const name = `child-${started++}`;
    const orders = { name, address, baseURL: provider.openaiBaseURL, limitUsd, workers, leaseMs };
    const child = await startChild(orders);
    child.on('message', ({ callId, failure, refused: isRefused }: ChildWord) => {
      if (isRefused) refused += 1;
      else (failure === undefined ? done : late).add(callId);
    });
    child.send('go');
    return child;
  };
  const living = await Promise.all(Array.from({ length: processes }, start));
  const kill = async (victim: ChildProcess): Promise<void> => {
    await killChild(victim);
    dead += 1;
  };
  const successors = new Set<Promise<unknown>>();
  for (let kills = 0; kills < options.kills; kills++) {
    await sleep(everyMs);
    while (living.length === 0) await Promise.race(successors);
    for (const victim of living.splice(Math.floor(random() * living.length), 1)) await kill(victim);
    const successor = start().then((born) => living.push(born));
    successors.add(successor);
    void successor.finally(() => successors.delete(successor));
    onProgress?.(kills + 1);
  }
  await Promise.all(successors);
  for (let waitedMs = 0; refused === 0 && waitedMs < untilMetMs; waitedMs += 50) await sleep(50);
  await Promise.all(living.map(kill));
  await provider.idle();
  await sleep(leaseMs + everyMs); // what a dead process had sent may arrive after its end
  for (let looks = 0; looks < 100 && (await ledger.holds()).length > 0; looks++) {
    await sleep(50); // sweeping goes on with each operation
    await ledger.status([{ key: 'default/total', window: { id: 'total' } }]);
  }
  const leakedHolds = (await ledger.holds()).length;
  const committed = await committedByCall(ledger);
  await close();

  const bill = billByCall(provider.requests);
  let sweptPico = 0n;
  let orphans = 0;
  const wrong: string[] = [];
  for (const callId of new Set([...committed.calls.keys(), ...bill.keys()])) {
    const is = committed.calls.get(callId) ?? 0n;
    const billed = bill.get(callId) ?? 0n;
    if (!done.has(callId) && !late.has(callId) && (is > 0n || billed > 0n)) orphans += 1;
    if (is === billed) continue;
    // The stated policy, onExpiry "book": the whole hold of a call whose owner died counts.
    if (!done.has(callId) && is === dimePico) sweptPico += is - billed;
    else wrong.push(`${callId}: $${usdDecimal(is)} for $${usdDecimal(billed)}`);
  }
  const admitted = bill.size;
  return {
    scenario: `8 processes, one killed every ${everyMs} ms`,
    subject: store.name,
    calls: new Set([...committed.calls.keys(), ...bill.keys()]).size,
    admitted,
    refused,
    overshootPico: provider.bill.totalPico > limit ? provider.bill.totalPico - limit : 0n,
    falseRefusals: undefined,
    utilisation: Number(committed.total) / Number(limit),
    leakedHolds,
    seconds: (performance.now() - startMs) / 1000,
    note: `${dead} processes killed; ${orphans} calls died with them, for which $${usdDecimal(sweptPico)} was booked beyond the bill${late.size === 0 ? '' : `; ${late.size} others were not booked yet when their owner looked`}`,
    claims: [
      claim(
        'processes were killed in the middle of calls, no more than each had',
        orphans > 0 && orphans <= dead * workers,
        `${dead} kills, ${orphans} calls`,
      ),
      claim(
        'each call is committed at its bill, or at its hold if its owner died',
        wrong.length === 0,
        wrong.slice(0, 3).join('; '),
      ),
      sameAmount(
        'the total is the bill and what the sweep booked',
        committed.total,
        provider.bill.totalPico + sweptPico,
      ),
      claim(
        'committed is never less than the bill',
        committed.total >= provider.bill.totalPico,
        `$${usdDecimal(committed.total)} against $${usdDecimal(provider.bill.totalPico)}`,
      ),
      claim(
        'never over the limit',
        committed.total <= limit,
        `$${usdDecimal(committed.total)} of $${limitUsd}`,
      ),
      claim('the limit refused somebody', refused > 0, refused),
      claim('no hold is left after the leases', leakedHolds === 0, leakedHolds),
    ],
  };
}

const callKey = /callId=([^/]+)\//;

async function committedByCall(
  ledger: InspectableLedger,
): Promise<{ readonly total: bigint; readonly calls: ReadonlyMap<string, bigint> }> {
  const counters = await ledger.counters({ maxCount: 1_000_000 });
  const calls = new Map<string, bigint>();
  let total = 0n;
  for (const { key, committed } of counters) {
    const callId = callKey.exec(key)?.[1];
    if (callId !== undefined) calls.set(callId, committed);
    else total += committed;
  }
  return { total, calls };
}

/** What the provider bills for each call. The call's name is its prompt. */
function billByCall(
  requests: readonly {
    readonly body: unknown;
    readonly billed?: { readonly amountPico: bigint } | undefined;
  }[],
): ReadonlyMap<string, bigint> {
  const bill = new Map<string, bigint>();
  for (const { body, billed } of requests) {
    if (billed === undefined) continue;
    const { messages } = body as { readonly messages: readonly { readonly content: string }[] };
    const callId = messages.at(-1)?.content ?? '';
    bill.set(callId, (bill.get(callId) ?? 0n) + billed.amountPico);
  }
  return bill;
}
