import type { Attempt, Attributes, CostRecord, Usage } from '@synapsekit/core';
import type { SpendTotals } from './totals.ts';
import type { ModelRef } from './valuer.ts';

/** What a scope may be opened with. */
export interface ScopeOptions {
  /** Who and what it is for (`{ userId, tenant, feature }`). Records in it, and in scopes in it, carry them. */
  readonly attributes?: Attributes | undefined;
}

/** What may be said of one record. */
export interface RecordOptions {
  /** Added to those of the scope. */
  readonly attributes?: Attributes | undefined;
}

/** What the name of a scope may depend on: who was called. */
export interface TrackedCall {
  /** Name for people: `"gpt-4o"`, `"groq/llama-3.1-8b-instant"`. */
  readonly id: string;
  readonly provider: string;
  readonly model: string;
}

/** What may be said of one attempt. */
export interface AttemptOptions extends RecordOptions {
  /** A scope of its own around this record: its name, or what makes it of the model that was really asked. */
  readonly scope?: string | ((call: TrackedCall) => string) | undefined;
}

/** Where spend is recorded: a tracker, in the scope of the async context, or a scope itself. */
export interface SpendRecorder {
  /**
   * Books one attempt by hand, at once. Equal `usage.attemptId`s are the same money and are booked once, in the scope
   * of the first booking; an actual count replaces an estimate there, a larger estimate a smaller one.
   *
   * @param model an id (`"groq/llama-3.1-8b-instant"`), or provider and model; an `LLM` will do.
   * @param usage `generation.usage`, or token counts.
   * @returns the record, frozen; the earlier one if the attempt was booked before.
   * @throws ConfigError for counts that cannot be (negative, not whole, parts larger than their whole). Nothing is booked.
   * @throws UnknownPriceError for a model without a price where `onUnknownPrice` is `"throw"`; it is booked as unpriced.
   */
  record(model: ModelRef, usage: Usage, options?: RecordOptions): CostRecord;
  /**
   * Books an attempt as a provider reported it; what `trackCost` does. Numbers that cannot be are repaired and booked
   * as estimated: no paid call is lost over them, and nothing is thrown for them.
   *
   * @returns the record; `undefined` for attempts that cost nothing (`"refused"`, `"unsent"`).
   * @throws ConfigError for wrong `options`.
   */
  recordAttempt(attempt: Attempt, options?: AttemptOptions): CostRecord | undefined;
  /**
   * Runs `fn` in a scope of this name inside the scope around it, and returns what it returns. The scope follows the
   * async context: scopes that run at the same time never see each other.
   *
   * @throws ConfigError for an empty name or attributes that are not flat.
   */
  scope<T>(name: string, fn: (scope: Scope) => T): T;
  scope<T>(name: string, options: ScopeOptions, fn: (scope: Scope) => T): T;
  /**
   * Opens a scope without entering it, for code that cannot be wrapped in a function. Record through the handle, or
   * enter it with `run`; close it when no more is to come.
   *
   * @throws ConfigError for an empty name or attributes that are not flat.
   */
  openScope(name: string, options?: ScopeOptions): ScopeHandle;
}

/** One run of a scope. Its sums are of this run and everything in it, live, and stay readable when it has ended. */
export interface Scope extends SpendRecorder, SpendTotals {
  readonly name: string;
  /** Names from the outermost scope to this one. A path is a list: names may hold any character. */
  readonly path: readonly string[];
  /** Those of the scopes around it included. */
  readonly attributes: Attributes;
  /** Runs `fn` inside this scope. */
  run<T>(fn: () => T): T;
}

/** A scope that its owner closes; `using` will do. */
export interface ScopeHandle extends Scope, Disposable {
  /**
   * Says that no more is to come, so that the name may be folded. A late record still counts. Closing twice changes
   * nothing.
   */
  close(): void;
}
