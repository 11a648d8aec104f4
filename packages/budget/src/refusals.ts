import type { BudgetAnnouncer } from './budget-announcer.ts';
import type { Limit } from './budget-limit.ts';
import type { GuardSettings } from './guard-options.ts';
import type { LedgerUnits } from './ledger-units.ts';
import type { LimitLine } from './limit-lines.ts';
import type { RefusalFacts } from './refusal.ts';

/** Of how many limits, each value of an attribute apart, it is remembered at least that they refused. */
const rememberedLimits = 5_000;

/** What a guard refuses: the facts of it, and how often each limit did. */
export class Refusals {
  readonly #settings: GuardSettings;
  readonly #units: LedgerUnits;
  readonly #announcer: BudgetAnnouncer;
  /**
   * How often each limit refused, by its name and attribute. Values come and go, hence two generations: nothing is ever
   * moved or taken out. An iterator that waits at the front of a `Map` where that is done keeps each table it ever had.
   */
  #recent = new Map<string, number>();
  #old: ReadonlyMap<string, number> = new Map();

  constructor(settings: GuardSettings, units: LedgerUnits, announcer: BudgetAnnouncer) {
    this.#settings = settings;
    this.#units = units;
    this.#announcer = announcer;
  }

  /** Counts and publishes a refusal. */
  note(facts: RefusalFacts): void {
    const id = refusalId(facts.limit, facts.value);
    const count = this.#countOf(id) + 1;
    if (this.#recent.size >= rememberedLimits && !this.#recent.has(id)) {
      this.#old = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(id, count);
    this.#announcer.refusal('refusal', facts);
  }

  /** How often a limit refused; one by attribute, for this value of it. */
  countOf(limit: Limit, value: string | undefined): number {
    return this.#countOf(refusalId(limit, value));
  }

  #countOf(id: string): number {
    return this.#recent.get(id) ?? this.#old.get(id) ?? 0;
  }

  /** What there is to say of a limit that does not have room. */
  factsOf(
    { limit, value, window, windowName }: LimitLine,
    counter: { readonly committed: bigint; readonly held: bigint },
    needed: bigint,
  ): RefusalFacts {
    return {
      guard: this.#settings.name,
      limit,
      value,
      window: windowName,
      committed: this.#units.toAmount(limit, counter.committed),
      held: this.#units.toAmount(limit, counter.held),
      needed,
      resetsAtMs: window.endsAtMs,
      nowMs: this.#settings.clock.now(),
    };
  }
}

function refusalId({ name, attribute }: Limit, value: string | undefined): string {
  return attribute === undefined ? name : `${attribute}=${value} ${name}`;
}
