import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Clock,
  ConfigError,
  type Random,
  rejectUnknownKeys,
  requireNumber,
  systemClock,
  systemRandom,
} from '@synapsekit/core';

/**
 * What a booking survives once it is acknowledged: `"full"` a loss of power, `"normal"` the end of the process (also by
 * SIGKILL), while a loss of power may take the last moments with it.
 */
export type SqliteDurability = 'full' | 'normal';

/** What a `SqliteLedger` is opened with. */
export interface SqliteLedgerOptions {
  /**
   * The file, made if it is not there; its folder has to be. SQLite keeps two more files beside it (`-wal`, `-shm`). On a
   * local disk: not on a network drive, where locks cannot be relied on.
   */
  readonly path: string | URL;
  /** @default "full" */
  readonly durability?: SqliteDurability | undefined;
  /** Wall time at opening and for the end of windows, monotonic time for the rest. @default the system's */
  readonly clock?: Clock | undefined;
  /** Spreads the attempts of several processes to get at the file. @default `Math.random` */
  readonly random?: Random | undefined;
  /**
   * How long ids of attempts and of closed holds are remembered at least, milliseconds, so that a repeated post books
   * nothing twice. Of several processes on one file the longest counts.
   * @default 3_600_000 (one hour)
   */
  readonly rememberMs?: number | undefined;
  /**
   * How long after its end a window is kept, milliseconds. A wall clock that was wrong for less than this wipes no
   * spend.
   * @default 3_600_000 (one hour)
   */
  readonly graceMs?: number | undefined;
  /**
   * How long other processes may keep the file locked before a request is given up (`LedgerError`, transient; nothing
   * was booked), milliseconds. The wait blocks nothing.
   * @default 1_000
   */
  readonly lockTimeoutMs?: number | undefined;
}

/** Options with nothing left open. */
export interface CheckedOptions {
  readonly path: string;
  readonly durability: SqliteDurability;
  readonly clock: Clock;
  readonly random: Random;
  readonly rememberMs: number;
  readonly graceMs: number;
  readonly lockTimeoutMs: number;
}

const known = ['path', 'durability', 'clock', 'random', 'rememberMs', 'graceMs', 'lockTimeoutMs'];

/** @throws ConfigError for an unknown option or a value out of range. */
export function checkOptions(options: SqliteLedgerOptions): CheckedOptions {
  rejectUnknownKeys(options, known, 'SqliteLedgerOptions');
  const {
    durability = 'full',
    clock = systemClock,
    random = systemRandom,
    rememberMs = 3_600_000,
    graceMs = 3_600_000,
    lockTimeoutMs = 1_000,
  } = options;
  if (durability !== 'full' && durability !== 'normal') {
    throw new ConfigError(`durability must be "full" or "normal", got ${String(durability)}.`, {
      option: 'durability',
    });
  }
  requireNumber(rememberMs, 'rememberMs', { min: 1, max: Number.MAX_SAFE_INTEGER });
  requireNumber(graceMs, 'graceMs', { min: 0 });
  requireNumber(lockTimeoutMs, 'lockTimeoutMs', { min: 0 });
  return { path: pathOf(options.path), durability, clock, random, rememberMs, graceMs, lockTimeoutMs };
}

function pathOf(path: unknown): string {
  const option = 'path';
  if (path instanceof URL) {
    if (path.protocol === 'file:') return fileURLToPath(path);
    throw new ConfigError(`path must be a file, got a URL of ${path.protocol}`, { option });
  }
  if (typeof path !== 'string' || path === '' || path.includes('\0')) {
    throw new ConfigError('path must name the file of the ledger, such as "budget.db".', { option });
  }
  if (path === ':memory:') {
    throw new ConfigError('A SqliteLedger lives in a file. For a ledger in memory, use MemoryLedger.', {
      option,
    });
  }
  return resolve(path);
}
