import process from 'node:process';

/** What a guard may warn of. The codes are stable. */
export type BudgetWarningCode =
  /** A record without a known price: what it cost counts against no limit. */
  | 'SYNAPSEKIT_BUDGET_UNPRICED'
  /** A record without an attribute that a limit needs: it counts as `unattributed`. */
  | 'SYNAPSEKIT_BUDGET_UNATTRIBUTED'
  /** A call that did not fit was let through (`onExceeded: "warn"`). */
  | 'SYNAPSEKIT_BUDGET_OVERRUN'
  /** The ledger was away, and calls were let through (`failOpen`). */
  | 'SYNAPSEKIT_BUDGET_FAIL_OPEN'
  /** A function of `by` threw or gave no limits for a record: it counts against the other limits only. */
  | 'SYNAPSEKIT_BUDGET_LIMITS_FAILED'
  /** The ledger refused a booking for good. It goes on counting in this process only. */
  | 'SYNAPSEKIT_BUDGET_NOT_BOOKED';

/** Something that must not stop a call, and must not be silent. */
export interface BudgetWarning {
  readonly code: BudgetWarningCode;
  readonly message: string;
  /** The model it is about, if it is about one. */
  readonly model?: string | undefined;
  /** What else it is about: each is told of once. */
  readonly subject?: string | undefined;
  /** What was thrown, if anything was. */
  readonly cause?: unknown;
}

/** Hands a warning to Node. */
export function emitProcessWarning({ code, message }: BudgetWarning): void {
  process.emitWarning(message, { type: 'SynapseKitWarning', code });
}

/** The most different warnings that are told. */
const maxTold = 1_000;

/** Tells each warning once. */
export class Warnings {
  readonly #listener: (warning: BudgetWarning) => void;
  readonly #told = new Set<string>();

  constructor(listener: (warning: BudgetWarning) => void) {
    this.#listener = listener;
  }

  /** Never throws. */
  tell(warning: BudgetWarning): void {
    const key = `${warning.code} ${warning.model ?? warning.subject ?? ''}`;
    if (this.#told.has(key) || this.#told.size >= maxTold) return;
    this.#told.add(key);
    try {
      this.#listener(Object.freeze(warning));
    } catch {
      // A warning must not stop a call.
    }
  }
}
