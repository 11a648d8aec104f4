import { AsyncResource } from 'node:async_hooks';
import {
  type Attempt,
  type CallOptions,
  createGenerationStream,
  type Generation,
  type LLM,
  type LLMMiddleware,
  passOn,
  rejectUnknownKeys,
  systemIds,
  tellAttempt,
} from '@synapsekit/core';
import type { CostTracker } from './cost-tracker.ts';
import { requireScopeOption } from './record-options.ts';
import type { AttemptOptions } from './scope.ts';
import { requireAttributes } from './scope-frame.ts';

/** What `trackCost` may be told. */
export interface TrackCostOptions {
  /**
   * A scope around each record, inside the scope that the call was started in: its name, or what makes it of the model
   * that was really asked (`(call) => \`llm:${call.id}\``).
   * @default none
   */
  readonly scope?: AttemptOptions['scope'];
}

/**
 * Middleware that records every attempt that cost something, once, in the scope where the call was started: served,
 * cut short, aborted or unanswered (these as estimated), of whichever model was really asked; generate and streams.
 * Attempts that the provider refused, and those that never left, cost nothing and leave no record.
 *
 * ```ts
 * const llm = wrap(model, retry(), enforceBudget(guard), breakOn(breaker), trackCost(tracker));
 * ```
 *
 * A model that reports no attempts is recorded by the usage of its answer.
 *
 * @throws ConfigError for a wrong option. UnknownPriceError from a call, before it is sent, where the tracker's
 *   `onUnknownPrice` is `"throw"`.
 */
export function trackCost(tracker: CostTracker, options: TrackCostOptions = {}): LLMMiddleware {
  rejectUnknownKeys(options, ['scope'], 'TrackCostOptions');
  const { scope } = options;
  requireScopeOption(scope);
  return (next) => ({
    provider: next.provider,
    model: next.model,
    id: next.id,

    async generate(prompt, callOptions = {}) {
      const call = new Call(tracker, next, scope, callOptions);
      call.check();
      return call.complete(await next.generate(prompt, call.options));
    },

    stream(prompt, callOptions = {}) {
      // Here, not in the source: the scope is the one that asked, whoever reads the stream.
      const call = new Call(tracker, next, scope, callOptions);
      return createGenerationStream(
        async function* (context) {
          call.check();
          const inner = next.stream(prompt, { ...call.options, signal: context.signal });
          const events = passOn(
            {
              signal: context.signal,
              partial: (generation) =>
                context.partial(Promise.resolve(generation).then((cut) => call.complete(cut))),
            },
            inner,
          );
          return call.complete(yield* events);
        },
        { signal: callOptions.signal },
      );
    },
  });
}

/** One call, from where it was started until all its attempts are booked. */
class Call {
  /** What the model is called with. */
  readonly options: CallOptions;
  readonly #tracker: CostTracker;
  readonly #llm: LLM;
  readonly #scope: AttemptOptions['scope'];
  /** Attempts may end anywhere (in an abort of somebody else's); they are booked where the call was started. */
  readonly #context = new AsyncResource('SynapseKitCall'); // `AsyncLocalStorage.snapshot()` costs 4 µs
  readonly #callerOptions: CallOptions;
  readonly #told = new Set<string>();
  #billed = false;

  constructor(tracker: CostTracker, llm: LLM, scope: AttemptOptions['scope'], callerOptions: CallOptions) {
    this.#tracker = tracker;
    this.#llm = llm;
    this.#scope = scope;
    this.#callerOptions = callerOptions;
    this.options = {
      ...callerOptions,
      onAttemptStart: (attempt) => {
        tracker.checkModel(attempt);
        return callerOptions.onAttemptStart?.(attempt);
      },
      onAttempt: (attempt) => this.#tell(attempt),
    };
  }

  /** @throws ConfigError, UnknownPriceError: before anything is sent. */
  check(): void {
    requireAttributes(this.#callerOptions.attributes);
    // Of a router or a chain nobody knows yet whom it will ask; it says so when an attempt starts.
    if (this.#llm.candidates === undefined) this.#tracker.checkModel(this.#llm);
  }

  /** Books what the model did not report by itself. Returns the answer, with its attempt if it had none. */
  complete(generation: Generation): Generation {
    const { attempts = [], usage } = generation;
    for (const attempt of attempts) if (!this.#told.has(attempt.attemptId)) this.#tell(attempt);
    if (this.#billed || attempts.length > 0 || usage === undefined) return generation;
    // No tokens and no attempts: it came from a cache, or from nowhere.
    if (usage.inputTokens === 0 && usage.outputTokens === 0) return generation;
    // Everybody around, and whoever records the answer by hand, has to see the same id.
    const attemptId = usage.attemptId ?? systemIds();
    const attempt: Attempt = Object.freeze({
      attemptId,
      provider: generation.provider ?? this.#llm.provider,
      model: generation.model ?? this.#llm.model,
      id: generation.servedBy ?? this.#llm.id,
      outcome: generation.finishReason === 'aborted' ? 'partial' : 'served',
      usage: Object.freeze({ ...usage, attemptId }),
      latencyMs: generation.latencyMs ?? 0,
    });
    this.#tell(attempt);
    return { ...generation, usage: { ...usage, attemptId }, attempts: [attempt] };
  }

  #tell(attempt: Attempt): void {
    this.#told.add(attempt.attemptId);
    this.#billed ||= attempt.outcome !== 'refused' && attempt.outcome !== 'unsent';
    this.#context.runInAsyncScope(() =>
      this.#tracker.recordAttempt(attempt, {
        scope: this.#scope,
        attributes: this.#callerOptions.attributes,
      }),
    );
    tellAttempt(this.#callerOptions.onAttempt, attempt);
  }
}
