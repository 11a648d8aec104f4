import { AsyncLocalStorage } from 'node:async_hooks';
import type { Account } from './account.ts';
import type { CaseEvents } from './case-events.ts';
import type { CaseScope } from './case-scope.ts';

/** Whose code runs: what it costs, what it breaks, and what it does are told there. */
export interface RunContext {
  /** What is measured there; closed ones too. */
  readonly account?: Account | undefined;
  /** The case that errors belong to. */
  readonly scope?: CaseScope | undefined;
  /** Where events of budgets and breakers are noted. */
  readonly events?: CaseEvents | undefined;
}

/** One store for all of them: each that is entered costs a case as much as a metric does. */
const current = new AsyncLocalStorage<RunContext>();

/** The async context that runs. */
export function runContext(): RunContext | undefined {
  return current.getStore();
}

/** Runs `fn` in a context: it, and everything it starts. What is not named stays as it is around it. */
export function enterContext<T>(part: RunContext, fn: () => T): T {
  const around = current.getStore();
  const { account = around?.account, scope = around?.scope, events = around?.events } = part;
  return current.run({ account, scope, events }, fn);
}
