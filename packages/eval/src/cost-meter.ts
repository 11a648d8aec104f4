import { channel, tracingChannel } from 'node:diagnostics_channel';
import { type Attempt, channelNames, type LLMMessage, rejectUnknownKeys } from '@synapsekit/core';
import { Account } from './account.ts';
import type { CallReport } from './call-report.ts';
import { type Reprice, readCharge } from './charge.ts';
import { here, openAccount } from './current-account.ts';
import type { MeasuredCost } from './measured-cost.ts';
import { enterContext } from './run-context.ts';

/** The account an attempt was started in: an end or a record that lost its async context still finds it. */
const owners: Map<string, Account> = new Map();
let openMeters = 0;

/** The books of a meter, for the runner, which enters them together with what else a case has. */
export let accountOf: (meter: CostMeter) => Account;

/** How a meter measures. */
export interface CostMeterOptions {
  /**
   * Prices every record anew, with a table of other prices or as another model. Meters inside of this one do the same.
   * @default the prices of whoever recorded
   */
  readonly reprice?: Reprice | undefined;
}

/**
 * Measures what code costs, whichever tracker of yours records it. It listens on the diagnostics channels
 * `synapsekit:cost` and `synapsekit:llm`, and takes what happens in its own async context, each attempt once. Under a
 * `ProviderTraffic` it also counts requests that no tracker recorded. A meter that is made inside of another one's `run` measures a part of it.
 *
 * ```ts
 * import { CostMeter } from '@synapsekit/eval';
 *
 * const meter = new CostMeter();
 * await meter.run(async () => {}); // your code
 * const { pico, calls, missing } = meter.cost;
 * meter.close();
 * ```
 */
export class CostMeter {
  static {
    accountOf = (meter) => meter.#account;
  }

  readonly #account: Account;

  /** @throws ConfigError for an unknown option. */
  constructor(options: CostMeterOptions = {}) {
    rejectUnknownKeys(options, ['reprice'], 'CostMeterOptions');
    this.#account = new Account(here(), options.reprice);
    if (openMeters++ === 0) subscribe();
  }

  /** Runs `fn`: what it costs, and everything it starts, is measured here. */
  run<T>(fn: () => T): T {
    return enterContext({ account: this.#account }, fn);
  }

  /** What was measured until now, in meters inside of this one too. */
  get cost(): MeasuredCost {
    return this.#account.cost;
  }

  /** The part of it that no meter inside of this one measured. */
  get ownCost(): MeasuredCost {
    return this.#account.ownCost;
  }

  /** The physical attempts that have ended, in the order in which they were started. */
  get attempts(): readonly Attempt[] {
    return this.#account.attempts;
  }

  /** Every call once, with its figures: attempts in the order of their start, then what was recorded without one. */
  get calls(): readonly CallReport[] {
    return this.#account.calls;
  }

  /** Resolves when no attempt is running. */
  idle(): Promise<void> {
    return this.#account.idle();
  }

  /** Ends the measuring. What is still running counts in the meter around this one, if there is one. */
  close(): void {
    const account = this.#account;
    if (!account.open) return;
    account.open = false;
    const heir = openAccount(account);
    for (const attemptId of account.attemptIds) {
      if (owners.get(attemptId) !== account) continue;
      if (heir === undefined) owners.delete(attemptId);
      else owners.set(attemptId, heir);
    }
    if (--openMeters === 0) unsubscribe();
  }
}

function onAttemptStart(message: unknown): void {
  const account = here();
  if (account === undefined) return;
  const { attemptId } = message as LLMMessage;
  if (owners.has(attemptId)) return;
  owners.set(attemptId, account);
  account.begin(attemptId);
}

function onAttemptEnd(message: unknown): void {
  const { attemptId, attempt, errorCode } = message as LLMMessage;
  const owner = owners.get(attemptId);
  if (attempt === undefined || owner === undefined) return;
  owner.noteError(attemptId, errorCode);
  owner.end(attempt);
}

function onRecord(message: unknown): void {
  const account = here();
  const charge = readCharge(message, account?.reprice);
  if (charge === undefined) return;
  const owner = owners.get(charge.attemptId);
  account?.charge(charge);
  // An answer that two cases share was bought by the one that asked first, and the other recorded it all the same.
  if (owner !== undefined && !account?.isWithin(owner)) owner.charge(charge);
}

function subscribe(): void {
  const llm = tracingChannel(channelNames.llm);
  llm.start.subscribe(onAttemptStart);
  llm.asyncEnd.subscribe(onAttemptEnd);
  channel(channelNames.cost).subscribe(onRecord);
}

function unsubscribe(): void {
  const llm = tracingChannel(channelNames.llm);
  llm.start.unsubscribe(onAttemptStart);
  llm.asyncEnd.unsubscribe(onAttemptEnd);
  channel(channelNames.cost).unsubscribe(onRecord);
}
