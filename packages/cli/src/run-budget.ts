import {
  formatUsd,
  type InspectableLedger,
  type LedgerCounter,
  type LedgerHold,
  usdDecimal,
} from '@synapsekit/core';
import { usesColor } from './colors.ts';
import { type CliIo, exitCodes } from './io.ts';
import { openLedger } from './open-ledger.ts';
import { type Cell, formatRows, printable } from './rows.ts';

/** What `synapsekit budget` was asked for. */
export interface BudgetRequest {
  readonly action: 'status' | 'holds' | 'reset';
  readonly store: string;
  /** Beginning of keys; for `reset`, the key. */
  readonly subject: string;
  readonly windowId: string | undefined;
  readonly yes: boolean;
  readonly maxCount: number;
  readonly json: boolean;
  readonly noColor: boolean;
}

/** Looks into a ledger, or resets a key of it. @throws UsageError for a store that cannot be used. */
export async function runBudget(request: BudgetRequest, io: CliIo): Promise<number> {
  const { ledger, name, close } = await openLedger(request.store, { cwd: io.cwd, mustExist: true });
  try {
    return await perform(name, ledger, request, io);
  } finally {
    await close();
  }
}

async function perform(
  name: string,
  ledger: InspectableLedger,
  request: BudgetRequest,
  io: CliIo,
): Promise<number> {
  switch (request.action) {
    case 'status':
      return printStatus(name, await ledger.counters(query(request)), ledger, request, io);
    case 'holds':
      return printHolds(name, await ledger.holds(query(request)), ledger, request, io);
    case 'reset':
      return reset(name, ledger, request, io);
  }
}

function query({ subject, maxCount }: BudgetRequest) {
  return { ...(subject !== '' && { prefix: subject }), maxCount };
}

/** Tokens and money are counted in the same ledger; the name of the limit tells them apart. */
function isTokens(key: string): boolean {
  return key.slice(key.lastIndexOf('/') + 1).startsWith('tokens.');
}

function shown(key: string, amount: bigint, { unitPico }: InspectableLedger): string {
  return isTokens(key) ? `${amount.toLocaleString('en-US')} tok` : formatUsd(amount * unitPico);
}

function exact(key: string, amount: bigint, { unitPico }: InspectableLedger): string {
  return isTokens(key) ? String(amount) : usdDecimal(amount * unitPico);
}

function leftOf({ limit, committed, held }: LedgerCounter): bigint | undefined {
  if (limit === undefined) return undefined;
  const used = committed + held;
  return used < limit ? limit - used : 0n;
}

function counterAsJson(counter: LedgerCounter, ledger: InspectableLedger): object {
  const { key, window, limit, committed, held } = counter;
  const left = leftOf(counter);
  return {
    key,
    window: window.id,
    ...(window.endsAtMs !== undefined && { endsAt: new Date(window.endsAtMs).toISOString() }),
    unit: isTokens(key) ? 'tokens' : 'usd',
    ...(limit !== undefined && { limit: exact(key, limit, ledger) }),
    committed: exact(key, committed, ledger),
    held: exact(key, held, ledger),
    ...(left !== undefined && { left: exact(key, left, ledger) }),
  };
}

function printStatus(
  name: string,
  counters: readonly LedgerCounter[],
  ledger: InspectableLedger,
  { json, noColor }: BudgetRequest,
  io: CliIo,
): number {
  if (json) {
    const counted = counters.map((counter) => counterAsJson(counter, ledger));
    io.stdout.write(`${JSON.stringify({ version: 1, store: name, counters: counted }, undefined, 2)}\n`);
    return exitCodes.ok;
  }
  if (counters.length === 0) {
    io.stdout.write(`${name}: nothing was spent or held yet.\n`);
    return exitCodes.ok;
  }
  const rows = counters.map((counter): Cell[] => {
    const { key, window, limit, committed, held } = counter;
    const left = leftOf(counter);
    const isTight = limit !== undefined && left !== undefined && left * 10n < limit;
    return [
      { text: key },
      { text: window.id },
      { text: limit === undefined ? '' : shown(key, limit, ledger), align: 'right' },
      { text: shown(key, committed, ledger), align: 'right' },
      { text: held === 0n ? '' : shown(key, held, ledger), align: 'right' },
      {
        text: left === undefined ? '' : shown(key, left, ledger),
        align: 'right',
        ...(isTight && { style: left === 0n ? 'red' : 'yellow' }),
      },
      { text: limit === undefined || limit === 0n ? '' : `${(committed * 100n) / limit} %`, align: 'right' },
    ];
  });
  const head = ['key', 'window', 'limit', 'spent', 'held', 'left', 'used'];
  io.stdout.write(formatRows(head, rows, usesColor(io, io.stdout, noColor)));
  return exitCodes.ok;
}

function printHolds(
  name: string,
  holds: readonly LedgerHold[],
  ledger: InspectableLedger,
  { json, noColor }: BudgetRequest,
  io: CliIo,
): number {
  if (json) {
    const held = holds.map(({ holdId, lines, leaseLeftMs, onExpiry }) => ({
      holdId,
      leaseLeftMs: Math.round(leaseLeftMs),
      onExpiry,
      lines: lines.map(({ key, window, left }) => ({
        key,
        window: window.id,
        held: exact(key, left, ledger),
      })),
    }));
    io.stdout.write(`${JSON.stringify({ version: 1, store: name, holds: held }, undefined, 2)}\n`);
    return exitCodes.ok;
  }
  if (holds.length === 0) {
    io.stdout.write(`${name}: nothing is held.\n`);
    return exitCodes.ok;
  }
  const rows = holds.flatMap(({ holdId, lines, leaseLeftMs, onExpiry }) =>
    lines.map(({ key, window, left }, index): Cell[] => {
      const first = index === 0;
      return [
        { text: first ? holdId : '' },
        { text: key },
        { text: window.id },
        { text: shown(key, left, ledger), align: 'right' },
        { text: first ? `${Math.max(0, Math.ceil(leaseLeftMs / 1_000))} s` : '', align: 'right' },
        { text: first ? (onExpiry === 'book' ? 'counted as spent' : 'freed') : '' },
      ];
    }),
  );
  const head = ['hold', 'key', 'window', 'held', 'lease', 'if its owner died'];
  io.stdout.write(formatRows(head, rows, usesColor(io, io.stdout, noColor)));
  return exitCodes.ok;
}

async function reset(
  name: string,
  ledger: InspectableLedger,
  { subject, windowId, yes, json }: BudgetRequest,
  io: CliIo,
): Promise<number> {
  // A prefix may fit many; the key is one of them, with all of its windows.
  const all = await ledger.counters({ prefix: subject, maxCount: 100_000 });
  const chosen = all.filter(({ key, window }) => key === subject && (windowId ?? window.id) === window.id);
  if (yes) for (const { key, window } of chosen) await ledger.reset({ key, window });
  if (json) {
    const counters = chosen.map((counter) => counterAsJson(counter, ledger));
    io.stdout.write(`${JSON.stringify({ version: 1, store: name, reset: yes, counters }, undefined, 2)}\n`);
  } else {
    for (const { key, window, committed } of chosen) {
      const done = yes ? 'reset' : 'would be reset';
      const what = printable(`${key} (${window.id})`);
      io.stdout.write(`${what}: ${shown(key, committed, ledger)} spent, ${done}\n`);
    }
    if (chosen.length === 0) {
      const where = windowId === undefined ? '' : ` in the window ${windowId}`;
      io.stderr.write(`${name} has no key "${subject}"${where}. See: synapsekit budget status\n`);
    } else if (!yes) {
      io.stderr.write('Nothing was reset. Add --yes to do it.\n');
    }
  }
  return yes && chosen.length > 0 ? exitCodes.ok : exitCodes.failed;
}
