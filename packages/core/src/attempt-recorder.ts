import type { Attempt } from './attempt.ts';
import { llmChannel } from './channels.ts';
import type { Clock } from './clock.ts';
import { systemClock } from './clock.ts';
import type { LLM } from './llm.ts';
import type { CallOptions } from './options.ts';
import { type IdSource, systemIds } from './random.ts';
import type { Usage } from './usage.ts';

/** How an attempt ended. */
export interface AttemptEnd {
  readonly outcome: Attempt['outcome'];
  readonly usage?: Usage | undefined;
  readonly requestId?: string | undefined;
  readonly error?: unknown;
}

/** One attempt on its way. */
export interface RunningAttempt {
  readonly attemptId: string;
  /** Marks the first content; later calls change nothing. */
  firstToken(): void;
  /** Ends the attempt, once: tells `onAttempt` and the `synapsekit:llm` channel. Later calls return the same. */
  end(end: AttemptEnd): Attempt;
}

/** What an attempt is started with. */
export interface AttemptStart {
  readonly llm: Pick<LLM, 'provider' | 'model' | 'id'>;
  readonly options: CallOptions;
  readonly stream: boolean;
  readonly clock?: Clock;
  readonly ids?: IdSource;
}

/** Begins a physical attempt: mints its id and starts its clock. For adapters. */
export function startAttempt(start: AttemptStart): RunningAttempt {
  const { llm, options, stream, clock = systemClock, ids = systemIds } = start;
  const attemptId = ids();
  const startedMs = clock.monotonic();
  const trace = llmChannel.begin({
    version: 1,
    attemptId,
    provider: llm.provider,
    model: llm.model,
    id: llm.id,
    stream,
    attributes: options.attributes ?? {},
  });
  let firstTokenMs: number | undefined;
  let ended: Attempt | undefined;
  return {
    attemptId,
    firstToken() {
      firstTokenMs ??= clock.monotonic() - startedMs;
    },
    end({ outcome, usage, requestId, error }) {
      if (ended !== undefined) return ended;
      ended = Object.freeze({
        attemptId,
        provider: llm.provider,
        model: llm.model,
        id: llm.id,
        outcome,
        ...(usage !== undefined && { usage: Object.freeze({ ...usage, attemptId }) }),
        ...(requestId !== undefined && { requestId }),
        latencyMs: clock.monotonic() - startedMs,
        ...(firstTokenMs !== undefined && { firstTokenMs }),
      });
      trace.end(ended, error);
      options.onAttempt?.(ended);
      return ended;
    },
  };
}
