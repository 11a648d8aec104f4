import { AsyncLocalStorage } from 'node:async_hooks';
import type { AttemptIdentity } from '@synapsekit/core';
import { Bookings } from './bookings.ts';
import { BudgetAnnouncer } from './budget-announcer.ts';
import type { Limits } from './budget-limit.ts';
import type { GuardSettings } from './guard-options.ts';
import { GuardPrices } from './guard-prices.ts';
import type { HoldAccount } from './hold-account.ts';
import { HoldAdmission } from './hold-admission.ts';
import { LedgerClient } from './ledger-client.ts';
import { LedgerUnits } from './ledger-units.ts';
import { OpenHolds } from './open-holds.ts';
import { Refusals } from './refusals.ts';
import { SelectedLimits } from './selected-limits.ts';
import { WaitQueue } from './wait-queue.ts';

/** The workings of a guard. Middleware and holds share it. */
export class BudgetEngine {
  readonly settings: GuardSettings;
  readonly prices: GuardPrices;
  readonly limits: SelectedLimits;
  readonly units: LedgerUnits;
  readonly ledger: LedgerClient;
  readonly holds: OpenHolds;
  readonly refusals: Refusals;
  readonly admission: HoldAdmission;
  readonly bookings: Bookings;
  readonly announcer: BudgetAnnouncer;
  /** Calls that wait for room. */
  readonly queue: WaitQueue;
  /** The hold that the running code works under. */
  readonly context: AsyncLocalStorage<HoldAccount> = new AsyncLocalStorage();
  /** Attempts that a call of this guard has room for already: the one around it need not make any. */
  readonly covered: WeakSet<AttemptIdentity> = new WeakSet();

  constructor(limits: Limits, settings: GuardSettings) {
    const { ledger, clock, ledgerTimeoutMs, queueTimeoutMs, maxQueueLength } = settings;
    this.settings = settings;
    this.prices = new GuardPrices(settings);
    this.limits = new SelectedLimits(limits, settings);
    this.units = new LedgerUnits(ledger.unitPico);
    const announcer = new BudgetAnnouncer(settings);
    this.announcer = announcer;
    this.ledger = new LedgerClient(ledger, clock, ledgerTimeoutMs, (cause) => announcer.notBooked(cause));
    this.holds = new OpenHolds(settings, this.ledger, announcer);
    this.refusals = new Refusals(settings, this.units, announcer);
    this.admission = new HoldAdmission(
      settings,
      this.ledger,
      this.units,
      this.holds,
      this.refusals,
      announcer,
    );
    this.bookings = new Bookings(settings, this.limits, this.ledger, this.units, this.holds, announcer);
    this.queue = new WaitQueue(clock, queueTimeoutMs, maxQueueLength);
    this.ledger.posts.onArrival = () => this.queue.pulse();
  }
}
