import type { Attempt } from './attempt.ts';
import { tellAttempt } from './attempt-recorder.ts';
import type { Generation } from './generation.ts';
import type { CallOptions } from './options.ts';

/** The physical attempts of a call that may take several: what retries and failover note down. */
export interface AttemptLog {
  /** The caller's options with the log's listener before the caller's own. Hand them to the inner call. */
  readonly options: CallOptions;
  /** How many attempts have ended that were sent, or may have been. */
  readonly sent: number;
  /** The answer with every attempt that may have cost anything, earlier ones first. */
  addTo(generation: Generation): Generation;
}

/** Starts a log for one call. */
export function logAttempts(options: CallOptions): AttemptLog {
  const attempts = new Map<string, Attempt>();
  let sent = 0;
  return {
    options: {
      ...options,
      onAttempt(attempt) {
        if (attempt.outcome !== 'unsent') sent++;
        if (attempt.usage !== undefined) attempts.set(attempt.attemptId, attempt);
        tellAttempt(options.onAttempt, attempt);
      },
    },
    get sent(): number {
      return sent;
    },
    addTo(generation) {
      const all = new Map(attempts);
      for (const attempt of generation.attempts) all.set(attempt.attemptId, attempt);
      return { ...generation, attempts: [...all.values()] };
    },
  };
}
