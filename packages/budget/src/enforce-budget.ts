import {
  createGenerationStream,
  type Generation,
  type LLM,
  type LLMMiddleware,
  relay,
} from '@synapsekit/core';
import { type BudgetGuard, engineOf } from './budget-guard.ts';
import { GuardedCall, planCall } from './guarded-call.ts';

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
 *
 * A call is refused with BudgetExceededError (it does not fit), UnknownPriceError (its price is not known), LedgerError
 * (the ledger cannot be asked) or ConfigError (the guard has no prices). Nothing was sent then.
 *
 * @throws ConfigError when `guard` is no `BudgetGuard`.
 */
export function enforceBudget(guard: BudgetGuard): LLMMiddleware {
  const engine = engineOf(guard);
  return (next: LLM): LLM => ({
    provider: next.provider,
    model: next.model,
    id: next.id,

    async generate(prompt, options = {}) {
      options.signal?.throwIfAborted();
      const call = await GuardedCall.begin(engine, next, prompt, options);
      call.working();
      try {
        return call.complete(await call.run(() => next.generate(prompt, call.options)));
      } finally {
        call.idle();
        call.end();
      }
    },

    stream(prompt, options = {}) {
      return createGenerationStream(
        async function* (context) {
          const call = await GuardedCall.begin(engine, next, prompt, { ...options, signal: context.signal });
          try {
            const events = relay(
              {
                signal: context.signal,
                partial: (cut) => context.partial(Promise.resolve(cut).then((part) => call.complete(part))),
              },
              call.run(() => next.stream(prompt, call.options)),
            );
            return call.complete(yield* whileRead(call, events));
          } finally {
            call.end();
          }
        },
        { signal: options.signal },
      );
    },

    quoteHold(prompt, options = {}) {
      try {
        const pico = planCall(engine, next, prompt, options).leastCost;
        // A candidate with two guards needs what the larger hold needs.
        const inner = next.quoteHold?.(prompt, options)?.pico ?? 0n;
        return { pico: inner > pico ? inner : pico };
      } catch {
        return undefined; // no price: it would be refused anyway
      }
    },
  });
}

/** Passes everything on, and says when somebody waits for a piece: a stream that nobody reads is not alive. */
async function* whileRead<E>(
  call: GuardedCall,
  events: AsyncGenerator<E, Generation, undefined>,
): AsyncGenerator<E, Generation, undefined> {
  try {
    for (;;) {
      call.working();
      let step: IteratorResult<E, Generation>;
      try {
        step = await events.next();
      } finally {
        call.idle();
      }
      if (step.done === true) return step.value;
      yield step.value;
    }
  } finally {
    await events.return(undefined as never);
  }
}
