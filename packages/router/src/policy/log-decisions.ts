import {
  ConfigError,
  isSynapseError,
  type Prompt,
  rejectUnknownKeys,
  warnOfListener,
} from '@synapsekit/core';
import type { RouteDecision } from './route-decision.ts';
import type { RoutePolicy } from './route-policy.ts';

/** A decision and what became of it. JSON-safe. */
export interface LoggedDecision extends RouteDecision {
  /** `LLM.id` of the model that served; absent when the call failed. */
  readonly servedBy?: string | undefined;
  /** What the call cost in all, in dollars, where it is known. */
  readonly costUsd?: number | undefined;
  readonly latencyMs?: number | undefined;
  /** Code of the error, if the call failed. */
  readonly errorCode?: string | undefined;
  /** Only with `includePrompt`. */
  readonly prompt?: Prompt | undefined;
}

/** Options of `logDecisions`. */
export interface LogDecisionsOptions {
  /** Is told of each decision when its call is over: `(decision) => log.info(decision)`. */
  readonly write: (decision: LoggedDecision) => unknown;
  /** Adds the prompt as it is. @default false */
  readonly includePrompt?: boolean | undefined;
}

/**
 * Logs why calls went where they went. The same stands, without a prompt, in `route.decision` of each answer and on the
 * diagnostics channel `synapsekit:route`.
 *
 * @throws ConfigError without a `write`.
 */
export function logDecisions(options: LogDecisionsOptions): RoutePolicy {
  rejectUnknownKeys(options, ['write', 'includePrompt'], 'logDecisions');
  const { write, includePrompt = false } = options;
  if (typeof write !== 'function') {
    throw new ConfigError('logDecisions needs a function: { write: (decision) => … }.', { option: 'write' });
  }
  return {
    name: 'log-decisions',
    settle({ decision, generation, costUsd, error, prompt }) {
      const result: unknown = write({
        ...decision,
        ...(generation !== undefined && {
          servedBy: generation.servedBy,
          latencyMs: generation.latencyMs,
        }),
        ...(costUsd !== undefined && { costUsd }),
        ...(error !== undefined && { errorCode: isSynapseError(error) ? error.code : 'error' }),
        ...(includePrompt && { prompt }),
      });
      if (result instanceof Promise) result.catch((failure) => warnOfListener('logDecisions()', failure));
    },
  };
}
