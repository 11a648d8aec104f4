import type { Attributes } from '@synapsekit/core';
import type { Limits } from './budget-limit.ts';
import type { OutputPolicy } from './call-plan.ts';
import type { GuardSettings } from './guard-options.ts';
import { LimitLines, type OnMissing, type Selection } from './limit-lines.ts';
import { marksOf } from './threshold.ts';

/** What every call can be limited by. */
export interface CalledModel {
  readonly model?: string;
  readonly provider?: string;
}

/** Which limits of a guard hold for a call: for whom it is, and now. */
export class SelectedLimits {
  readonly #settings: GuardSettings;
  readonly #lines: LimitLines;
  readonly #moneyPolicy: OutputPolicy;
  readonly #tokenPolicy: OutputPolicy;

  constructor(limits: Limits, settings: GuardSettings) {
    const { name, timeZone, thresholds, ledger, clamp, minOutputTokens, defaultMaxOutputTokens } = settings;
    this.#settings = settings;
    this.#lines = new LimitLines(name, limits, timeZone, (limit) =>
      marksOf(thresholds, limit.unit === 'usd' ? limit.amount / ledger.unitPico : limit.amount),
    );
    this.#moneyPolicy = { clamp, minOutputTokens, defaultMaxOutputTokens, countsTokens: false };
    this.#tokenPolicy = { ...this.#moneyPolicy, countsTokens: true };
  }

  /** The limits that hold for these attributes, in the windows of now. @throws ConfigError for one that is missing. */
  select(attributes: Attributes | undefined, onMissing: OnMissing = 'refuse'): Selection {
    return this.#lines.select(this.#settings.clock.now(), attributes ?? noAttributes, onMissing);
  }

  /** True when it makes a difference for whom a call is. */
  get needsAttributes(): boolean {
    return this.#lines.needsAttributes;
  }

  /** Whether these limits are still those of now. */
  isCurrent({ lines }: Selection): boolean {
    const nowMs = this.#settings.clock.now();
    return lines.every(({ window: { endsAtMs } }) => endsAtMs === undefined || nowMs < endsAtMs);
  }

  /**
   * Who and what a call is for: what its scope says, what it says itself, and what is known of its model; `undefined`
   * where no limit asks.
   */
  attributesOf(given: Attributes | undefined, model?: CalledModel): Attributes | undefined {
    if (!this.#lines.needsAttributes) return undefined;
    const scope = this.#settings.tracker?.scopeAttributes?.();
    return { ...scope, ...given, ...model };
  }

  /** How long answers under these limits may be. */
  outputPolicy({ countsTokens }: Selection): OutputPolicy {
    return countsTokens ? this.#tokenPolicy : this.#moneyPolicy;
  }
}

const noAttributes: Attributes = Object.freeze({});
