import type { HoldKeeper } from './hold-keeper.ts';
import type { LimitLine, Selection } from './limit-lines.ts';
import { SmallMap } from './small-map.ts';
import { atLeastZero, greater, lesser, minus, nothing, plus, type Spend } from './spend.ts';

/** What was booked for an attempt under a hold. */
interface Booked {
  readonly spend: Spend;
  readonly actual: boolean;
}

/**
 * The guard's own view of one hold: what it amounts to, what was booked under it, and what calls that run under it have
 * claimed of the rest.
 */
export class HoldAccount {
  readonly id: string;
  readonly limits: Selection;
  total: Spend;
  /** What posts have drawn down. */
  drawn: Spend = nothing;
  claimed: Spend = nothing;
  /** It did not fit, and was let through all the same: nothing that runs under it is refused. */
  overrun: boolean;
  /** The ledger was away and the call was let through all the same: nothing is held there. */
  unheld = false;
  /** Settled or released by its owner. Calls that are still out keep what is held for them until they end. */
  settled = false;
  /** Nothing is held any more. */
  ended = false;
  /** It ended because its lease did: nobody settled it. */
  expired = false;
  /** Raises of the same hold go one after the other. */
  raising: Promise<unknown> | undefined;
  /** Attempts whose end a call under this hold has dealt with. */
  readonly finished: SmallMap<true> = new SmallMap();
  readonly keeper: HoldKeeper;
  readonly #booked = new SmallMap<Booked>();

  constructor(
    id: string,
    limits: Selection,
    total: Spend,
    overrun: boolean,
    keeper: (account: HoldAccount) => HoldKeeper,
  ) {
    this.id = id;
    this.limits = limits;
    this.total = total;
    this.overrun = overrun;
    this.keeper = keeper(this);
  }

  get lines(): readonly LimitLine[] {
    return this.limits.lines;
  }

  /** Neither drawn down nor claimed. Negative when bookings took what calls had claimed. */
  get available(): Spend {
    return minus(minus(this.total, this.drawn), this.claimed);
  }

  /** Whether enough of it is available, of what its limits count. */
  hasRoomFor({ pico, tokens }: Spend): boolean {
    const { available, limits } = this;
    return (
      (!limits.countsMoney || available.pico >= pico) && (!limits.countsTokens || available.tokens >= tokens)
    );
  }

  /** Still held. */
  get left(): Spend {
    return this.ended || this.unheld ? nothing : minus(this.total, this.drawn);
  }

  claim(spend: Spend): void {
    this.claimed = plus(this.claimed, spend);
  }

  /** Claims it if that takes no asking: nothing is being raised, and there is room. */
  claimAtOnce(spend: Spend): boolean {
    if (this.ended || this.raising !== undefined || !(this.unheld || this.hasRoomFor(spend))) return false;
    this.claim(spend);
    return true;
  }

  unclaim(spend: Spend): void {
    this.claimed = minus(this.claimed, spend);
  }

  /**
   * Notes a booking, by the ledger's own rule: the first actual wins, a larger estimate replaces a smaller one.
   * Returns what of it the hold does not cover, or `undefined` when it changes nothing.
   */
  book(attemptId: string, spend: Spend, actual: boolean): Spend | undefined {
    const known = this.#booked.get(attemptId);
    if (known === undefined) {
      this.#booked.set(attemptId, { spend, actual });
      return this.#draw(spend);
    }
    if (known.actual) return undefined;
    const more = atLeastZero(minus(spend, known.spend));
    if (!actual && more.pico === 0n && more.tokens === 0n) return undefined;
    this.#booked.set(attemptId, { spend: actual ? spend : greater(spend, known.spend), actual });
    return this.#draw(more); // what it frees does not go back into the hold
  }

  /** What was booked for an attempt for good. */
  actualOf(attemptId: string): Spend | undefined {
    const booked = this.#booked.get(attemptId);
    return booked?.actual === true ? booked.spend : undefined;
  }

  #draw(spend: Spend): Spend {
    const { left } = this;
    if (left.pico >= spend.pico && left.tokens >= spend.tokens) {
      this.drawn = plus(this.drawn, spend);
      return nothing;
    }
    const drawn = lesser(spend, left);
    this.drawn = plus(this.drawn, drawn);
    return minus(spend, drawn);
  }
}
