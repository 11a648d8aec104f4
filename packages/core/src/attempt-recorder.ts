import type { Attempt, AttemptIdentity } from './attempt.ts';
import { callListener, warnOfListener } from './call-listener.ts';
import { attemptChannel, llmChannel } from './channels.ts';
import type { Clock } from './clock.ts';
import { systemClock } from './clock.ts';
import type { LLM } from './llm.ts';
import type { CallOptions } from './options.ts';
import { type IdSource, systemIds } from './random.ts';
import { raceAbort } from './signal.ts';
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
  /**
   * Asks `onAttemptStart` whether it may be sent: await it before sending; `undefined` when it was said at once. When
   * the answer is no, the attempt has ended as `"unsent"` and the error is to be thrown on.
   */
  admit(): void | Promise<void>;
  /**
   * Runs what sends it, or goes on with it: requests that `fn` makes can be told to belong to this attempt, by whoever
   * binds a store to the channel `synapsekit:attempt`.
   */
  run<T>(fn: () => T): T;
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
  /** @default systemClock */
  readonly clock?: Clock | undefined;
  /** @default systemIds */
  readonly ids?: IdSource | undefined;
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
  // One object for the whole attempt, made where somebody asks for it.
  let known: AttemptIdentity | undefined;
  const identity = (): AttemptIdentity => {
    known ??= Object.freeze({ attemptId, provider: llm.provider, model: llm.model, id: llm.id });
    return known;
  };
  const attempt: RunningAttempt = {
    attemptId,
    admit() {
      const { onAttemptStart } = options;
      if (onAttemptStart !== undefined) return ask(onAttemptStart);
    },
    run(fn) {
      return attemptChannel.run(identity, fn);
    },
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
      tellAttempt(options.onAttempt, ended);
      return ended;
    },
  };
  const unsent = (error: unknown): never => {
    attempt.end({ outcome: 'unsent', error });
    throw error;
  };
  const ask = (mayStart: NonNullable<CallOptions['onAttemptStart']>): void | Promise<void> => {
    let answer: unknown;
    try {
      answer = mayStart(identity());
    } catch (error) {
      unsent(error);
    }
    if (!isThenable(answer)) return;
    // A budget whose store hangs must not hold up an abort.
    return raceAbort(answer, options.signal).then(() => {}, unsent);
  };
  return attempt;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined | null)?.then === 'function';
}

/**
 * Tells a listener of an attempt; middleware hands on to its caller with it. An answer that was paid for is not lost
 * because somebody who is told about it throws, or rejects later: failover would pay for another one. It becomes a
 * warning of the process; the error's own message may be anything, so it is not repeated.
 */
export function tellAttempt(onAttempt: CallOptions['onAttempt'], attempt: Attempt): void {
  if (onAttempt === undefined) return;
  callListener(onAttempt, attempt, (error) => warnOfListener('An onAttempt listener', error));
}
