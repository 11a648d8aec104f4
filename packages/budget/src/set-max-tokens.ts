import type { CallOptions } from '@synapsekit/core';

/** Travels with the options through whatever middleware copies them. Nobody sends it. */
const setByGuard: unique symbol = Symbol.for('@synapsekit/budget.maxTokens');

/** Options with the mark. */
export interface GuardedOptions extends CallOptions {
  readonly [setByGuard]?: number;
}

/** The `maxTokens` that a guard sends on for a call with these options: where the caller gave none, marked as the guard's. */
export function withMaxTokens(maxTokens: number, options: GuardedOptions): GuardedOptions {
  const given = options.maxTokens !== undefined && maxTokensSetByGuard(options) === undefined;
  return given ? { maxTokens } : { maxTokens, [setByGuard]: maxTokens };
}

/**
 * The `maxTokens` of these options, if a guard further out set it and not the caller: another guard may lower it, as if
 * nobody had said anything.
 */
export function maxTokensSetByGuard(options: GuardedOptions): number | undefined {
  const { maxTokens, [setByGuard]: set } = options;
  return set !== undefined && set === maxTokens ? set : undefined;
}
