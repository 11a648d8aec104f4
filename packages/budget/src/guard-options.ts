import {
  type Clock,
  ConfigError,
  type CostRecord,
  type IdSource,
  type LedgerStore,
  type LLM,
  type PriceLookup,
  rejectUnknownKeys,
  requireNumber,
  type SpendSource,
  systemClock,
  systemIds,
  type TokenCounter,
} from '@synapsekit/core';
import { MemoryLedger } from './ledger/memory-ledger.ts';
import { checkThresholds, type ThresholdEvent } from './threshold.ts';
import { exactCounter } from './token-counting.ts';
import { type BudgetWarning, emitProcessWarning } from './warning.ts';

/** What may become of a call that does not fit. */
export type OnExceeded = 'block' | 'clamp' | 'downgrade' | 'queue' | 'warn';

/** What a `BudgetGuard` may be built with. */
export interface BudgetGuardOptions {
  /** Where spend and prices come from: a `CostTracker`. Every record that it makes is booked. */
  readonly tracker?: SpendSource | undefined;
  /** Prices. @default the tracker's */
  readonly prices?: PriceLookup | undefined;
  /** Where the money is counted. @default a `MemoryLedger` of its own: one process, gone with it */
  readonly ledger?: LedgerStore | undefined;
  /** Guards of one name on one ledger share their limits. @default "default" */
  readonly name?: string | undefined;
  /** IANA name of the time zone whose hours, days, weeks and months count. @default "UTC" */
  readonly timeZone?: string | undefined;
  /**
   * What happens to a call whose worst case does not fit. Several are tried in this order:
   *
   * - `"clamp"`: its `maxTokens` is lowered until it fits, never below `minOutputTokens`.
   * - `"downgrade"`: a cheaper model is asked instead, the first that fits of `enforceBudget(guard, { downgradeTo })`.
   * - `"queue"`: it waits, first come first served, up to `queueTimeoutMs`, where waiting can help.
   * - `"warn"`: it is let through, booked and reported. The limit is none then.
   * - `"block"`: it is refused. So is whatever the others did not help.
   *
   * @default "block"
   */
  readonly onExceeded?: OnExceeded | readonly OnExceeded[] | undefined;
  /** The longest wait of `"queue"`, milliseconds. @default 30_000 */
  readonly queueTimeoutMs?: number | undefined;
  /** How many calls may wait at once; one more is refused at once. @default 1_000 */
  readonly maxQueueLength?: number | undefined;
  /**
   * Shares of every limit that counts whose reaching is told to `onThreshold`: `[0.5, 0.8, 1]`. Each once per limit,
   * attribute value and window, over all processes that share the ledger.
   * @default none
   */
  readonly thresholds?: readonly number[] | undefined;
  /** Told of them, at once, where the booking that reached it was made. */
  readonly onThreshold?: ((event: ThresholdEvent) => void) | undefined;
  /**
   * Ends a stream when it has cost what was held for it, and hands out what came until then, with the finish reason
   * `"budget_cut"`: for models that do not keep to `maxTokens`.
   * @default false
   */
  readonly cutStreams?: boolean | undefined;
  /**
   * What happens while the ledger is away: `false` refuses every call (fail closed); `true` lets them through without a
   * hold, reports it, and books what they cost when the ledger is back.
   * @default false
   */
  readonly failOpen?: boolean | undefined;
  /**
   * The shortest answer worth paying for, in tokens: no `maxTokens` is set or lowered below this.
   * @default 16 (the least that OpenAI's Responses API takes)
   */
  readonly minOutputTokens?: number | undefined;
  /**
   * What a call may answer at most when neither it nor its model's config says `maxTokens`: without a bound there is
   * nothing to hold. Lowered to what fits the model and what is left of the limits.
   * @default 4096
   */
  readonly defaultMaxOutputTokens?: number | undefined;
  /** A hold whose owner died ends this long after it was last renewed, milliseconds. @default 60_000 */
  readonly leaseMs?: number | undefined;
  /**
   * What becomes of the rest of such a hold: `"book"` counts it as spent, since its calls may have been billed;
   * `"release"` frees it.
   * @default "book"
   */
  readonly onExpiry?: 'book' | 'release' | undefined;
  /**
   * A call that was sent and never answered (timed out, lost, aborted) may be billed or not. `"book"` books what was
   * held for it, as an estimate that a later record replaces; `"release"` books nothing.
   * @default "book"
   */
  readonly onLostCall?: 'book' | 'release' | undefined;
  /**
   * What an answer is booked at that no provider counted: of a stream that was cut, aborted or left. `"received"`: the
   * prompt and what came, an estimate; the provider may bill what was under way as well. `"hold"`: all that was held for
   * it, which no bill exceeds, so that streams left behind never add up to more than a limit.
   * @default "received"
   */
  readonly onCutStream?: 'received' | 'hold' | undefined;
  /** How long the ledger may take, milliseconds, tries included. Then the call is refused. @default 2_000 */
  readonly ledgerTimeoutMs?: number | undefined;
  /**
   * Counts the tokens of a model's prompts exactly. Asked only when the upper bound (UTF-8 bytes) does not fit.
   * `false`: never.
   * @default `gpt-tokenizer`, if installed, for models whose tokenizer it has
   */
  readonly tokenCounter?:
    | false
    | ((llm: Pick<LLM, 'provider' | 'model'>) => TokenCounter | undefined | Promise<TokenCounter | undefined>)
    | undefined;
  /**
   * Which of the tracker's records this guard books when they were made outside its own holds; for a guard of one user
   * on a tracker of all.
   * @default all
   */
  readonly countsRecord?: ((record: CostRecord) => boolean) | undefined;
  /** Told of each different warning once. @default `process.emitWarning` */
  readonly onWarning?: ((warning: BudgetWarning) => void) | undefined;
  readonly clock?: Clock | undefined;
  /** Mints the ids of holds, and of spend that is no model call. */
  readonly ids?: IdSource | undefined;
}

/** Options, checked, with their defaults. */
export interface GuardSettings {
  readonly tracker: SpendSource | undefined;
  readonly prices: PriceLookup | undefined;
  readonly ledger: LedgerStore;
  readonly name: string;
  readonly timeZone: string;
  /** What is tried before a call is refused. */
  readonly onExceeded: ReadonlySet<OnExceeded>;
  readonly clamp: boolean;
  readonly queueTimeoutMs: number;
  readonly maxQueueLength: number;
  readonly thresholds: readonly number[];
  readonly onThreshold: ((event: ThresholdEvent) => void) | undefined;
  readonly cutStreams: boolean;
  readonly failOpen: boolean;
  readonly minOutputTokens: number;
  readonly defaultMaxOutputTokens: number;
  readonly leaseMs: number;
  readonly onExpiry: 'book' | 'release';
  readonly onLostCall: 'book' | 'release';
  readonly onCutStream: 'received' | 'hold';
  readonly ledgerTimeoutMs: number;
  readonly tokenCounter: Exclude<BudgetGuardOptions['tokenCounter'], false | undefined>;
  readonly countsRecord: (record: CostRecord) => boolean;
  readonly onWarning: (warning: BudgetWarning) => void;
  readonly clock: Clock;
  readonly ids: IdSource;
}

const known = [
  'tracker',
  'prices',
  'ledger',
  'name',
  'timeZone',
  'onExceeded',
  'queueTimeoutMs',
  'maxQueueLength',
  'thresholds',
  'onThreshold',
  'cutStreams',
  'failOpen',
  'minOutputTokens',
  'defaultMaxOutputTokens',
  'leaseMs',
  'onExpiry',
  'onLostCall',
  'onCutStream',
  'ledgerTimeoutMs',
  'tokenCounter',
  'countsRecord',
  'onWarning',
  'clock',
  'ids',
] as const satisfies readonly (keyof BudgetGuardOptions)[];

/** @throws ConfigError for an unknown option or a wrong value. */
export function checkGuardOptions(options: BudgetGuardOptions): GuardSettings {
  // A tracker has no fields of its own that would be unknown: without this it would be taken for no options at all.
  if (typeof (options as { readonly onRecord?: unknown } | null)?.onRecord === 'function') {
    throw new ConfigError('The options of a guard are an object: give the tracker as { tracker }.', {
      option: 'tracker',
    });
  }
  rejectUnknownKeys(options, known, 'BudgetGuardOptions');
  const {
    tracker,
    prices = tracker?.prices,
    clock = systemClock,
    ledger = new MemoryLedger({ clock }),
    name = 'default',
    timeZone = 'UTC',
    onExceeded = 'block',
    queueTimeoutMs = 30_000,
    maxQueueLength = 1_000,
    thresholds = [],
    onThreshold,
    cutStreams = false,
    failOpen = false,
    minOutputTokens = 16,
    defaultMaxOutputTokens = 4_096,
    leaseMs = 60_000,
    onExpiry = 'book',
    onLostCall = 'book',
    onCutStream = 'received',
    ledgerTimeoutMs = 2_000,
    tokenCounter = exactCounter,
    countsRecord = () => true,
    onWarning = emitProcessWarning,
    ids = systemIds,
  } = options;
  if (typeof name !== 'string' || name === '') {
    throw new ConfigError('name must be a non-empty string.', { option: 'name' });
  }
  if (tracker !== undefined && typeof tracker?.onRecord !== 'function') {
    throw new ConfigError('tracker must be a source of spend such as a CostTracker.', { option: 'tracker' });
  }
  if (prices !== undefined && typeof prices?.find !== 'function') {
    throw new ConfigError('prices must be a price lookup with a find method.', { option: 'prices' });
  }
  if (typeof ledger?.reserve !== 'function' || typeof ledger.unitPico !== 'bigint' || ledger.unitPico < 1n) {
    throw new ConfigError('ledger must be a ledger store such as a MemoryLedger.', { option: 'ledger' });
  }
  const policies: readonly unknown[] = Array.isArray(onExceeded) ? onExceeded : [onExceeded];
  for (const policy of policies) requireOneOf(policy, 'onExceeded', policyNames);
  requireNumber(queueTimeoutMs, 'queueTimeoutMs', { above: 0 });
  requireNumber(maxQueueLength, 'maxQueueLength', { integer: true, min: 0 });
  if (onThreshold !== undefined) requireFunction(onThreshold, 'onThreshold');
  requireBoolean(cutStreams, 'cutStreams');
  requireBoolean(failOpen, 'failOpen');
  requireOneOf(onExpiry, 'onExpiry', ['book', 'release']);
  requireOneOf(onLostCall, 'onLostCall', ['book', 'release']);
  requireOneOf(onCutStream, 'onCutStream', ['received', 'hold']);
  requireNumber(minOutputTokens, 'minOutputTokens', { integer: true, min: 1 });
  requireNumber(defaultMaxOutputTokens, 'defaultMaxOutputTokens', { integer: true, min: 1 });
  requireNumber(leaseMs, 'leaseMs', { above: 0 });
  requireNumber(ledgerTimeoutMs, 'ledgerTimeoutMs', { above: 0 });
  if (tokenCounter !== false) requireFunction(tokenCounter, 'tokenCounter');
  requireFunction(countsRecord, 'countsRecord');
  requireFunction(onWarning, 'onWarning');
  requireFunction(ids, 'ids');
  if (typeof clock?.monotonic !== 'function') {
    throw new ConfigError('clock must be a Clock such as systemClock.', { option: 'clock' });
  }
  return {
    tracker,
    prices,
    ledger,
    name,
    timeZone,
    onExceeded: new Set(policies as readonly OnExceeded[]),
    clamp: policies.includes('clamp'),
    queueTimeoutMs,
    maxQueueLength,
    thresholds: checkThresholds(thresholds),
    onThreshold,
    cutStreams,
    failOpen,
    minOutputTokens,
    defaultMaxOutputTokens,
    leaseMs,
    onExpiry,
    onLostCall,
    onCutStream,
    ledgerTimeoutMs,
    tokenCounter: tokenCounter === false ? () => undefined : tokenCounter,
    countsRecord,
    onWarning,
    clock,
    ids,
  };
}

const policyNames: readonly OnExceeded[] = ['block', 'clamp', 'downgrade', 'queue', 'warn'];

function requireBoolean(value: unknown, option: string): void {
  if (typeof value !== 'boolean')
    throw new ConfigError(`${option} must be true or false, got ${String(value)}.`, { option });
}

function requireOneOf(value: unknown, option: string, values: readonly string[]): void {
  if (typeof value === 'string' && values.includes(value)) return;
  throw new ConfigError(
    `${option} must be ${values.map((v) => `"${v}"`).join(' or ')}, got ${String(value)}.`,
    {
      option,
    },
  );
}

function requireFunction(value: unknown, option: string): void {
  if (typeof value !== 'function') throw new ConfigError(`${option} must be a function.`, { option });
}
