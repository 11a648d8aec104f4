import {
  type BudgetMessage,
  budgetChannel,
  callListener,
  type LedgerError,
  usdDecimal,
  warnOfListener,
} from '@synapsekit/core';
import type { GuardSettings } from './guard-options.ts';
import type { LimitLine } from './limit-lines.ts';
import { type RefusalFacts, refusalError } from './refusal.ts';
import type { Spend } from './spend.ts';
import type { ThresholdEvent } from './threshold.ts';
import { Warnings } from './warning.ts';

/** Tells the world what a guard does: on its channel, to its listeners, in warnings. Never throws. */
export class BudgetAnnouncer {
  readonly #settings: GuardSettings;
  readonly #warnings: Warnings;

  constructor(settings: GuardSettings) {
    this.#settings = settings;
    this.#warnings = new Warnings(settings.onWarning);
  }

  hold(holdId: string, spend: Spend): void {
    if (budgetChannel.hasSubscribers) this.#publish('hold', { holdId, ...amounts(spend) });
  }

  booking(attemptId: string, holdId: string | undefined, spend: Spend): void {
    if (!budgetChannel.hasSubscribers) return;
    this.#publish('booking', { attemptId, ...(holdId !== undefined && { holdId }), ...amounts(spend) });
  }

  close(holdId: string): void {
    if (budgetChannel.hasSubscribers) this.#publish('close', { holdId });
  }

  cut(attemptId: string | undefined, spend: Spend): void {
    this.#publish('cut', { ...(attemptId !== undefined && { attemptId }), ...amounts(spend) });
  }

  /** A call did not fit: it was refused, or let through all the same. */
  refusal(type: 'refusal' | 'overrun', { limit, needed }: RefusalFacts): void {
    this.#publish(type, {
      limit: limit.name,
      ...(limit.attribute !== undefined && { attribute: limit.attribute }),
      ...(limit.unit === 'usd' ? { amountUsd: usdDecimal(needed) } : { tokens: Number(needed) }),
    });
  }

  /** A call that did not fit was let through. */
  overrun(facts: RefusalFacts): void {
    this.refusal('overrun', facts);
    this.#warnings.tell({
      code: 'SYNAPSEKIT_BUDGET_OVERRUN',
      message: `${refusalError(facts).message} It was let through, since onExceeded is "warn".`,
      subject: `${facts.limit.attribute ?? ''} ${facts.limit.name} ${facts.window ?? ''}`,
    });
  }

  failOpen(holdId: string, spend: Spend, cause: LedgerError): void {
    this.#publish('fail-open', { holdId, ...amounts(spend) });
    this.#warnings.tell({
      code: 'SYNAPSEKIT_BUDGET_FAIL_OPEN',
      message: `Budget "${this.#settings.name}": its ledger could not be asked, and calls are let through without a hold, since failOpen is true. What they cost is booked when the ledger is back.`,
      cause,
    });
  }

  threshold({ limit, value, window, windowName }: LimitLine, threshold: number, committed: bigint): void {
    const { name, onThreshold } = this.#settings;
    const attribute = limit.attribute === undefined ? undefined : { attribute: limit.attribute };
    const shown = (amount: bigint): string => (limit.unit === 'usd' ? usdDecimal(amount) : String(amount));
    this.#publish('threshold', {
      limit: limit.name,
      ...attribute,
      threshold,
      ...(limit.unit === 'usd' ? { amountUsd: usdDecimal(committed) } : { tokens: Number(committed) }),
    });
    if (onThreshold === undefined) return;
    const event: ThresholdEvent = Object.freeze({
      guard: name,
      limit: limit.name,
      ...attribute,
      ...(value !== undefined && { attributeValue: value }),
      ...(windowName !== undefined && { window: windowName }),
      threshold,
      unit: limit.unit,
      limitAmount: shown(limit.amount),
      committedAmount: shown(committed),
      ...(window.endsAtMs !== undefined && { resetsAtMs: window.endsAtMs }),
    });
    callListener(onThreshold, event, (error) => warnOfListener('A listener for onThreshold', error));
  }

  notBooked(cause: unknown): void {
    this.#warnings.tell({
      code: 'SYNAPSEKIT_BUDGET_NOT_BOOKED',
      message: `Budget "${this.#settings.name}": the ledger refused a booking for good. It counts in this process only.`,
      cause,
    });
  }

  unpriced(model: string): void {
    this.#warnings.tell({
      code: 'SYNAPSEKIT_BUDGET_UNPRICED',
      message: `Budget "${this.#settings.name}": a call to ${model} has no known price, so that what it cost counts against no limit. Give its price: new PriceBook({ overrides: [{ model, inputUsdPerMillion, outputUsdPerMillion }] }) as \`prices\`, or free: true.`,
      model,
    });
  }

  unattributed(attribute: string): void {
    this.#warnings.tell({
      code: 'SYNAPSEKIT_BUDGET_UNATTRIBUTED',
      message: `Budget "${this.#settings.name}" has limits by ${attribute}, and a record does not say which: it counts as "unattributed". Give it with the call or its scope: attributes: { ${attribute}: … }.`,
      subject: attribute,
    });
  }

  /** A function for the limits of an attribute threw, or gave none: the record counts on all other limits. */
  limitsFailed(attribute: string, cause: unknown): void {
    this.#warnings.tell({
      code: 'SYNAPSEKIT_BUDGET_LIMITS_FAILED',
      message: `Budget "${this.#settings.name}": by.${attribute} could not say the limits of a value. What was spent counts against all other limits. See \`cause\`.`,
      subject: attribute,
      cause,
    });
  }

  /** A function that was to decide about a record threw. */
  listenerFailed(option: string, error: unknown): void {
    warnOfListener(`The function for ${option}`, error);
  }

  #publish(type: BudgetMessage['type'], facts: Omit<BudgetMessage, 'version' | 'type' | 'guard'>): void {
    budgetChannel.publish(() => ({ version: 1, type, guard: this.#settings.name, ...facts }));
  }
}

function amounts({ pico, tokens }: Spend): Pick<BudgetMessage, 'amountUsd' | 'tokens'> {
  return { amountUsd: usdDecimal(pico), ...(tokens > 0n && { tokens: Number(tokens) }) };
}
