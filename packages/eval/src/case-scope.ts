import { runContext } from './run-context.ts';

/** The async context of a running case. */
export interface CaseScope {
  /** Ends the case as an error. False when it has ended already. */
  crash(error: unknown, reason: string): boolean;
}

/**
 * For hosts, in their `uncaughtException` and `unhandledRejection` listeners: ends the case in whose async context
 * `error` was thrown, as an error.
 *
 * @param reason what the report says of it, in a clause.
 * @returns false when no case is running there, so that the host must not let the run count as passed.
 */
export function crashCase(error: unknown, reason = 'it left an error behind that nobody caught'): boolean {
  return runContext()?.scope?.crash(error, reason) ?? false;
}
