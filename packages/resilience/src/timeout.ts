import {
  type Clock,
  ConfigError,
  createGenerationStream,
  isContent,
  type LLMMiddleware,
  linkSignals,
  passOn,
  rejectUnknownKeys,
  requireNumber,
  systemClock,
} from '@synapsekit/core';
import { StreamLimits, type StreamTimes } from './stream-limits.ts';
import { withTimeout } from './with-timeout.ts';

/** Which times a call may take. At least one is needed. */
export interface TimeoutOptions extends StreamTimes {
  /** The whole call, in milliseconds. A slow consumer of a stream counts. */
  readonly totalMs?: number | undefined;
  /** Until the first content of a stream, in milliseconds. */
  readonly firstTokenMs?: number | undefined;
  /** Between two pieces of content of a stream, in milliseconds. A slow consumer does not count. */
  readonly idleMs?: number | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * Limits how long a model may take: any model, also a chain or a router. A call that runs out of time fails with a
 * `CallTimeoutError`, its signal aborts, and a model that does not heed its signal is left behind.
 *
 * Put it inside `breakOn` so that the breaker counts it, and inside `retry` to limit each attempt. Outermost it is a
 * deadline for everything, which breakers take for an abort: it says nothing about the provider asked last.
 *
 * @throws ConfigError without a limit, for an unknown option or a value out of range.
 */
export function timeout(options: TimeoutOptions): LLMMiddleware {
  rejectUnknownKeys(options, ['totalMs', 'firstTokenMs', 'idleMs', 'clock'], 'TimeoutOptions');
  const { clock = systemClock, ...times } = options;
  const given = Object.entries(times).filter(([, ms]) => ms !== undefined);
  if (given.length === 0)
    throw new ConfigError('timeout needs totalMs, firstTokenMs or idleMs.', { option: 'totalMs' });
  for (const [name, ms] of given) requireNumber(ms, name, { above: 0 });

  return (next) => ({
    provider: next.provider,
    model: next.model,
    id: next.id,

    async generate(prompt, callOptions) {
      if (times.totalMs === undefined) return next.generate(prompt, callOptions);
      return withTimeout(({ signal }) => next.generate(prompt, { ...callOptions, signal }), times.totalMs, {
        signal: callOptions?.signal,
        clock,
      });
    },

    stream(prompt, callOptions) {
      return createGenerationStream(
        async function* (context) {
          const link = linkSignals(context.signal);
          const patience = new Patience();
          const limits = new StreamLimits(times, clock, (error) => {
            link.abort(error);
            patience.end(error);
          });
          try {
            const inner = next.stream(prompt, { ...callOptions, signal: link.signal });
            return yield* passOn(context, inner, {
              asked: () => limits.pulling(),
              came(event) {
                limits.pulled(isContent(event));
                return true;
              },
              // A source that does not heed its signal never answers, nor closes: it is left behind.
              wait: (answer) => patience.with(answer),
            });
          } finally {
            limits.stop();
            link.dispose();
          }
        },
        { signal: callOptions?.signal },
      );
    },
  });
}

/** Waits for promises until it ends, and then for one more turn: for a source that heeds its signal. */
class Patience {
  #over: { readonly error: unknown } | undefined;
  #reject: ((reason: unknown) => void) | undefined;

  end(error: unknown): void {
    this.#over = { error };
    this.#rejectSoon(error);
  }

  /** One promise of its own per wait: racing against one long-lived promise would pile up reactions on it. */
  with<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      // Some sources end normally, or with an error of their own, when they are aborted.
      promise.then(
        (value) => (this.#over === undefined ? resolve(value) : reject(this.#over.error)),
        (error: unknown) => reject(this.#over === undefined ? error : this.#over.error),
      );
      if (this.#over !== undefined) this.#rejectSoon(this.#over.error);
    });
  }

  #rejectSoon(error: unknown): void {
    setImmediate(() => this.#reject?.(error));
  }
}
