import {
  ConfigError,
  createGenerationStream,
  type Generation,
  type LLM,
  type LLMMiddleware,
  passOn,
  rejectUnknownKeys,
  type StreamEvent,
  type StreamWatch,
} from '@synapsekit/core';
import { beginCall, planCall } from './begin-call.ts';
import { type BudgetGuard, engineOf } from './budget-guard.ts';
import { cutGeneration, StreamMeter } from './cut-stream.ts';
import { isPromise } from './deadline.ts';
import type { GuardedCall } from './guarded-call.ts';
import { greater } from './spend.ts';

/** What `enforceBudget` may be told. */
export interface EnforceBudgetOptions {
  /**
   * Models to ask instead, in this order, where the call does not fit and the guard's `onExceeded` has `"downgrade"`:
   * whole ones, with their own tracker and breaker, since they take the place of all that is inside. Each is priced and
   * held for anew.
   */
  readonly downgradeTo?: readonly LLM[] | undefined;
}

/**
 * Middleware that lets no call out that could break a limit: it holds the worst case before the call, books what each
 * attempt cost, and frees the rest.
 *
 * ```ts
 * const llm = wrap(model, retry(), enforceBudget(guard), breakOn(breaker), trackCost(tracker));
 * ```
 *
 * - The worst case: an upper bound of the prompt, and `maxTokens` of the call or of the model's config. Where neither
 *   says it, `maxTokens` is set to what fits the model and the limits.
 * - Around a router or a chain, the dearest candidate is held. Calls of the same guard inside it share that hold.
 * - A second attempt inside one call raises the hold, or is refused.
 * - Limits by `model` or `provider` need a call whose model is known: put the guard on each candidate, not on the router.
 *
 * A call is refused with BudgetExceededError (it does not fit), UnknownPriceError (its price is not known), LedgerError
 * (the ledger cannot be asked) or ConfigError (the guard has no prices). Nothing was sent then.
 *
 * @throws ConfigError when `guard` is no `BudgetGuard`, or `downgradeTo` and the guard's `onExceeded` do not agree.
 */
export function enforceBudget(guard: BudgetGuard, options: EnforceBudgetOptions = {}): LLMMiddleware {
  const engine = engineOf(guard);
  const downgradeTo = checkDowngrade(options, engine.settings.onExceeded.has('downgrade'));
  return (next: LLM): LLM => ({
    provider: next.provider,
    model: next.model,
    id: next.id,
    ...(downgradeTo.length > 0 && { candidates: () => [next, ...downgradeTo] }),

    async generate(prompt, options = {}) {
      options.signal?.throwIfAborted();
      const begun = beginCall(engine, next, prompt, options, downgradeTo);
      const call = isPromise(begun) ? await begun : begun;
      call.working();
      try {
        return call.complete(await call.run(() => call.llm.generate(prompt, call.options)));
      } finally {
        call.idle();
        call.end();
      }
    },

    stream(prompt, options = {}) {
      return createGenerationStream(
        async function* (context) {
          const inner = { ...options, signal: context.signal };
          const call = await beginCall(engine, next, prompt, inner, downgradeTo);
          const reading = new Reading(call);
          try {
            reading.meter = await StreamMeter.of(engine, call, prompt, options);
            let cut: Promise<Generation> | undefined;
            const events = passOn(
              {
                signal: context.signal,
                partial: (part) => {
                  cut = Promise.resolve(part).then((came) => call.complete(came));
                  context.partial(cut);
                },
              },
              call.run(() => call.llm.stream(prompt, call.options)),
              reading,
            );
            try {
              return call.complete(yield* events);
            } catch (error) {
              if (error !== usedUp) throw error;
            }
            if (cut === undefined) throw new TypeError('A stream that was left did not say what came of it.');
            call.noteCut();
            const came = cutGeneration(await cut);
            yield { type: 'finish', finishReason: came.finishReason };
            return came;
          } finally {
            reading.stop();
            call.end();
          }
        },
        { signal: options.signal },
      );
    },

    quoteHold(prompt, options = {}) {
      try {
        const quotes = [next, ...downgradeTo].map((llm) => {
          const { leastCost } = planCall(engine, llm, prompt, options).plan;
          // A candidate with two guards needs what the larger hold needs.
          const inner = llm.quoteHold?.(prompt, options);
          return greater(leastCost, { pico: inner?.pico ?? 0n, tokens: BigInt(inner?.tokens ?? 0) });
        });
        const least = quotes.reduce((a, b) => (b.pico < a.pico ? b : a));
        return { pico: least.pico, tokens: Number(least.tokens) };
      } catch {
        return undefined; // no price: it would be refused anyway
      }
    },
  });
}

function checkDowngrade(options: EnforceBudgetOptions, wanted: boolean): readonly LLM[] {
  rejectUnknownKeys(options, ['downgradeTo'], 'EnforceBudgetOptions');
  const { downgradeTo = [] } = options;
  if (!Array.isArray(downgradeTo) || downgradeTo.some((llm) => typeof llm?.generate !== 'function')) {
    throw new ConfigError('downgradeTo must be a list of models.', { option: 'downgradeTo' });
  }
  if (wanted === downgradeTo.length > 0) return [...downgradeTo];
  throw new ConfigError(
    wanted
      ? 'onExceeded has "downgrade": say to which models, enforceBudget(guard, { downgradeTo: [cheaper] }).'
      : 'downgradeTo does nothing unless the guard is built with onExceeded: "downgrade" (or a list with it).',
    { option: 'downgradeTo' },
  );
}

/** Ends a stream whose hold is used up. Nobody outside sees it. */
const usedUp = new Error('What was held for the stream is used up.');

/** Says when somebody waits for a piece: a stream that nobody reads is not alive. Ends it when its hold is used up. */
class Reading implements StreamWatch {
  meter: StreamMeter | undefined;
  readonly #call: GuardedCall;
  #waiting = false;
  #full = false;

  constructor(call: GuardedCall) {
    this.#call = call;
  }

  asked(): void {
    if (this.#full) throw usedUp;
    this.#waiting = true;
    this.#call.working();
  }

  came(event: StreamEvent): boolean {
    this.stop();
    this.#full = this.meter?.isFull(event) === true;
    return true;
  }

  /** Nobody waits any more. */
  stop(): void {
    if (!this.#waiting) return;
    this.#waiting = false;
    this.#call.idle();
  }
}
