import {
  type Clock,
  type IdSource,
  rejectUnknownKeys,
  requireNumber,
  systemClock,
  systemIds,
} from '@synapsekit/core';

/** What a `LeasedLedger` is built with. */
export interface LeasedLedgerOptions {
  /** How many calls like the one at hand a slice is to last for. @default 100 */
  readonly callsPerSlice?: number | undefined;
  /**
   * How many processes share the budgets, about. A slice takes at most the free part of a limit divided by twice this, so
   * that what all of them hold is half of what was free. @default 8
   */
  readonly processCount?: number | undefined;
  /**
   * How long a slice is taken for, milliseconds. It is used for eight tenths of that and then given back; the slice of a
   * process that died counts as spent after it. @default 10_000
   */
  readonly sliceMs?: number | undefined;
  /**
   * How many ids of attempts, and of holds that are closed, are remembered at least, so that a repeated post books nothing
   * twice; twice as many at most.
   * @default 100_000
   */
  readonly rememberCount?: number | undefined;
  /** @default the system's */
  readonly clock?: Clock | undefined;
  /** Names slices; two processes must never get the same. @default random */
  readonly ids?: IdSource | undefined;
}

/** Options, checked and filled in. */
export interface LeasedLedgerSettings {
  readonly callsPerSlice: number;
  readonly processCount: number;
  readonly sliceMs: number;
  readonly rememberCount: number;
  readonly clock: Clock;
  readonly ids: IdSource;
}

/** @throws ConfigError for an unknown option or a value out of range. */
export function checkLeasedLedgerOptions(options: LeasedLedgerOptions): LeasedLedgerSettings {
  const names = ['callsPerSlice', 'processCount', 'sliceMs', 'rememberCount', 'clock', 'ids'] as const;
  rejectUnknownKeys(options, names, 'LeasedLedgerOptions');
  const {
    callsPerSlice = 100,
    processCount = 8,
    sliceMs = 10_000,
    rememberCount = 100_000,
    clock = systemClock,
    ids = systemIds,
  } = options;
  requireNumber(callsPerSlice, 'callsPerSlice', { integer: true, min: 2 });
  requireNumber(processCount, 'processCount', { integer: true, min: 1 });
  requireNumber(sliceMs, 'sliceMs', { integer: true, min: 10 });
  requireNumber(rememberCount, 'rememberCount', { integer: true, min: 1 });
  return { callsPerSlice, processCount, sliceMs, rememberCount, clock, ids };
}
