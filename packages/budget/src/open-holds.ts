import type { BudgetAnnouncer } from './budget-announcer.ts';
import type { Answer } from './deadline.ts';
import type { GuardSettings } from './guard-options.ts';
import { HoldAccount } from './hold-account.ts';
import { HoldKeeper } from './hold-keeper.ts';
import type { LedgerClient } from './ledger-client.ts';
import type { Selection } from './limit-lines.ts';
import type { Spend } from './spend.ts';

/** The holds of this process: what begins them, keeps them alive and ends them. */
export class OpenHolds {
  readonly #settings: GuardSettings;
  readonly #ledger: LedgerClient;
  readonly #announcer: BudgetAnnouncer;
  #count = 0;

  constructor(settings: GuardSettings, ledger: LedgerClient, announcer: BudgetAnnouncer) {
    this.#settings = settings;
    this.#ledger = ledger;
    this.#announcer = announcer;
  }

  /** How many are open. */
  get count(): number {
    return this.#count;
  }

  /** The account of a hold that is about to be placed. It counts as open once it is. */
  prepare(limits: Selection, spend: Spend, overrun: boolean): HoldAccount {
    const { ids, clock, leaseMs } = this.#settings;
    return new HoldAccount(ids(), limits, spend, overrun, (account) => {
      const renew = (): Answer<boolean> => this.#renew(account);
      return new HoldKeeper(clock, leaseMs, renew, () => this.close(account));
    });
  }

  /** The ledger has placed it. */
  opened(account: HoldAccount, spend: Spend): void {
    this.#count += 1;
    this.#announcer.hold(account.id, spend);
  }

  /** Ends a hold here, when a booking ends it in the ledger. False where it had ended. */
  end(account: HoldAccount): boolean {
    if (account.ended) return false;
    account.ended = true;
    account.keeper.stop();
    this.#count -= 1;
    return true;
  }

  /** Ends a hold; what is left of it is free again. Once. */
  close(account: HoldAccount): void {
    if (!this.end(account)) return;
    if (account.lines.length > 0) this.#ledger.close(account.id);
    this.#announcer.close(account.id);
  }

  #renew(account: HoldAccount): Answer<boolean> {
    if (account.ended || account.unheld || account.lines.length === 0) return true;
    return this.#ledger.renew(account.id, this.#settings.leaseMs);
  }
}
