import type { Attempt, PicoUsd, Usage } from '@synapsekit/core';
import { here } from './current-account.ts';

/** A request to a model, as the HTTP boundary sees it when it goes out. */
export interface BoundaryCallStart {
  readonly callId: string;
  /** The attempt of an adapter that sends it; `undefined` for code that knows nothing of SynapseKit. */
  readonly attemptId: string | undefined;
}

/** How it ended. */
export interface BoundaryCallEnd {
  /** Name of the model for people. */
  readonly model: string;
  /** What it costs live; `undefined` when nobody knows. */
  readonly pico: PicoUsd | undefined;
  readonly usage?: Usage | undefined;
  readonly unknown?: 'no-usage' | undefined;
  /** False for what nobody bills: an error answer, a request that never left. */
  readonly billable: boolean;
  /** The request as an attempt, for code that has none of its own. */
  readonly attempt: Omit<Attempt, 'attemptId'>;
}

/**
 * Counts a request in the `CostMeter` of this async context. The meter is busy until the returned function is called,
 * once, with how it ended.
 */
export function beginBoundaryCall({ callId, attemptId }: BoundaryCallStart): (end: BoundaryCallEnd) => void {
  const account = here();
  if (account === undefined) return () => {};
  const foreign = attemptId === undefined;
  account.beginCall();
  if (foreign) account.begin(callId);
  return ({ attempt, billable, model, pico, usage, unknown }) => {
    // It stays where it began, also when that meter was closed meanwhile: the ones around it count it too.
    const tokens = usage && { input: usage.inputTokens, output: usage.outputTokens };
    if (foreign) account.end(Object.freeze({ ...attempt, attemptId: callId }));
    account.endCall(
      billable
        ? {
            callId,
            attemptId: attemptId ?? callId,
            foreign,
            model,
            pico,
            unknown,
            estimated: false,
            ...(tokens !== undefined && { tokens }),
          }
        : undefined,
    );
  };
}
