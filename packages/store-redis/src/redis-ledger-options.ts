import { type Clock, ConfigError, rejectUnknownKeys, requireNumber, systemClock } from '@synapsekit/core';

/** What a `RedisLedger` is built with. */
export interface RedisLedgerOptions {
  /**
   * Which keys lie together: what a request touches has to lie in one slot of a cluster. A name: everything of this
   * ledger lies together (and a tenant who needs a slot of its own gets a ledger of its own, on the same client). Or a
   * function from the key of a line to such a name: a request over keys of two names is refused, and only the process
   * that placed a hold can renew or close it.
   * @default 'budget'
   */
  readonly hashTag?: string | ((key: string) => string) | undefined;
  /** What the names of all keys in Redis begin with. @default 'synapsekit:' */
  readonly keyPrefix?: string | undefined;
  /** How long an operation may take before the ledger counts as away, milliseconds. @default 2_000 */
  readonly timeoutMs?: number | undefined;
  /**
   * How long ids of attempts and of holds that are over are remembered, milliseconds, so that a repeated post books
   * nothing twice. Costs about 200 bytes of Redis for each id.
   * @default 3_600_000 (one hour)
   */
  readonly rememberMs?: number | undefined;
  /**
   * How long after its end a window is kept, milliseconds, counted from its last change at least. A clock that was wrong
   * for less than this wipes no spend.
   * @default 3_600_000 (one hour)
   */
  readonly graceMs?: number | undefined;
  /** Told once of a server that is not fit to keep budgets. @default `process.emitWarning` */
  readonly onWarning?: ((message: string) => void) | undefined;
  /** For the time allowed only: windows and leases go by the server's own time. @default the system's */
  readonly clock?: Clock | undefined;
  /** For tests only: milliseconds that the server's time is taken to be ahead. @default none */
  readonly testTimeOffsetMs?: (() => number) | undefined;
}

/** Options, checked and filled in. */
export interface RedisLedgerSettings {
  readonly hashTag: string | ((key: string) => string);
  readonly keyPrefix: string;
  readonly timeoutMs: number;
  readonly rememberMs: number;
  readonly graceMs: number;
  readonly onWarning: (message: string) => void;
  readonly clock: Clock;
  readonly testTimeOffsetMs: () => number;
}

const names = [
  'hashTag',
  'keyPrefix',
  'timeoutMs',
  'rememberMs',
  'graceMs',
  'onWarning',
  'clock',
  'testTimeOffsetMs',
] as const;

/** @throws ConfigError for an unknown option or a value out of range. */
export function checkRedisLedgerOptions(options: RedisLedgerOptions): RedisLedgerSettings {
  rejectUnknownKeys(options, names, 'RedisLedgerOptions');
  const {
    hashTag = 'budget',
    keyPrefix = 'synapsekit:',
    timeoutMs = 2_000,
    rememberMs = 3_600_000,
    graceMs = 3_600_000,
    onWarning = emitWarning,
    clock = systemClock,
    testTimeOffsetMs = () => 0,
  } = options;
  if (typeof hashTag !== 'function' && !isHashTag(hashTag)) {
    throw new ConfigError('hashTag must be a text that is not empty and has no braces, or a function.', {
      option: 'hashTag',
    });
  }
  if (typeof keyPrefix !== 'string' || /[{}]/.test(keyPrefix)) {
    throw new ConfigError('keyPrefix must be a text without braces: the hash tag comes after it.', {
      option: 'keyPrefix',
    });
  }
  requireNumber(timeoutMs, 'timeoutMs', { integer: true, min: 1, max: 2_147_483_647 });
  requireNumber(rememberMs, 'rememberMs', { integer: true, min: 1 });
  requireNumber(graceMs, 'graceMs', { integer: true, min: 0 });
  return { hashTag, keyPrefix, timeoutMs, rememberMs, graceMs, onWarning, clock, testTimeOffsetMs };
}

/** Whether a name can stand between the braces of a Redis key. */
export function isHashTag(tag: unknown): tag is string {
  return typeof tag === 'string' && tag !== '' && !/[{}]/.test(tag) && tag.isWellFormed();
}

function emitWarning(message: string): void {
  process.emitWarning(message, { type: 'SynapseKitWarning', code: 'SYNAPSEKIT_REDIS' });
}
