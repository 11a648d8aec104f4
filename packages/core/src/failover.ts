/** The one failover loop: fallback chains and routers both walk their candidates with it. */
import { type AttemptLog, logAttempts } from './attempt-log.ts';
import {
  AllProvidersFailedError,
  type BudgetExceededError,
  type ErrorCode,
  isSynapseError,
  type ProviderFailure,
} from './errors.ts';
import { failureRule } from './failure-rules.ts';
import type { Generation } from './generation.ts';
import type { Availability, HoldQuote, LLM } from './llm.ts';
import { parseUsd } from './money.ts';
import type { CallOptions } from './options.ts';
import type { Prompt } from './prompt.ts';
import { createGenerationStream, type GenerationStream, relayTry } from './stream.ts';

/** Tells a caller of the loop what happens. Must not throw. */
export interface FailoverHooks {
  /** A candidate failed or was skipped, and the next one is looked at. */
  readonly onFailure?: ((failure: ProviderFailure) => void) | undefined;
}

/**
 * Asks the candidates in order until one answers.
 *
 * - One that says it is not available (open circuit) is skipped without a call.
 * - Another is asked where `failureRule` allows it: not after an abort or a bad request; after a budget refusal only
 *   one that would hold less; after a context overflow only one with a larger (or unknown) window.
 * - `failures` of the answer says who was passed over and why; `attempts` has everything that may have cost.
 *
 * @throws AllProvidersFailedError with one entry per candidate; BudgetExceededError when budgets alone refused;
 *   the error itself where nobody else may be asked; `signal.reason` on abort.
 */
export async function failoverGenerate(
  candidates: readonly LLM[],
  prompt: Prompt,
  options: CallOptions = {},
  hooks: FailoverHooks = {},
): Promise<Generation> {
  const walk = new Walk(candidates, prompt, options, hooks);
  for (let llm = walk.next(); llm !== undefined; llm = walk.next()) {
    try {
      return walk.served(await llm.generate(prompt, walk.callOptions));
    } catch (error) {
      walk.failed(llm, error);
    }
  }
  throw walk.exhausted();
}

/** The same for streams: another candidate is asked only before the first content, never after it. */
export function failoverStream(
  candidates: readonly LLM[],
  prompt: Prompt,
  options: CallOptions = {},
  hooks: FailoverHooks = {},
): GenerationStream {
  return createGenerationStream(
    async function* (context) {
      const walk = new Walk(candidates, prompt, { ...options, signal: context.signal }, hooks);
      for (let llm = walk.next(); llm !== undefined; llm = walk.next()) {
        let emitted = false;
        try {
          return yield* relayTry(context, llm.stream(prompt, walk.callOptions), {
            onContent: () => {
              emitted = true;
            },
            finish: (generation) => walk.served(generation),
          });
        } catch (error) {
          if (emitted) throw error;
          walk.failed(llm, error);
        }
      }
      throw walk.exhausted();
    },
    { signal: options.signal },
  );
}

/** State of one walk along the candidates. */
class Walk {
  readonly #attempts: AttemptLog;
  readonly #prompt: Prompt;
  readonly #hooks: FailoverHooks;
  readonly #rest: LLM[];
  readonly #failures: ProviderFailure[] = [];
  /** How many attempts the candidates before the present one made. */
  #sentBefore = 0;
  /** Set after a budget refusal: the next candidate must need less than this. */
  #refusal: { readonly error: BudgetExceededError } | undefined;
  /** Set after a context overflow: the next candidate's window must be larger than this. */
  #overflow: { readonly error: unknown; readonly window: number } | undefined;
  #goneModels = new Map<string, unknown>();

  constructor(candidates: readonly LLM[], prompt: Prompt, options: CallOptions, hooks: FailoverHooks) {
    this.#rest = [...candidates];
    this.#prompt = prompt;
    this.#hooks = hooks;
    this.#attempts = logAttempts(options);
  }

  get callOptions(): CallOptions {
    return this.#attempts.options;
  }

  /** The next candidate that may be asked. */
  next(): LLM | undefined {
    for (let llm = this.#rest.shift(); llm !== undefined; llm = this.#rest.shift()) {
      if (this.callOptions.signal?.aborted === true) throw this.callOptions.signal.reason;
      const obstacle = this.#obstacle(llm);
      if (obstacle === undefined) {
        this.#sentBefore = this.#attempts.sent;
        return llm;
      }
      this.#record({ id: llm.id, outcome: 'skipped', error: obstacle.error });
    }
    return undefined;
  }

  #obstacle(llm: LLM): { readonly error: unknown } | undefined {
    const availability: Availability | undefined = llm.availability?.();
    if (availability?.available === false) return availability;
    const gone = this.#goneModels.get(llm.id);
    if (gone !== undefined) return { error: gone };
    if (this.#overflow !== undefined) {
      const window = llm.capabilities?.contextWindow;
      if (window !== undefined && window <= this.#overflow.window) return this.#overflow;
    }
    if (this.#refusal !== undefined) {
      // One that nothing guards would go round the budget: it has no quote and is not asked.
      const quote = llm.quoteHold?.(this.#prompt, this.callOptions);
      if (quote === undefined || !needsLess(quote, this.#refusal.error)) return this.#refusal;
    }
    return undefined;
  }

  /** Notes a failure; rethrows it where nobody else may be asked. */
  failed(llm: LLM, error: unknown): void {
    const { signal } = this.callOptions;
    if (signal?.aborted === true) throw signal.reason;
    const { failover } = failureRule(error);
    if (failover === false) throw error;
    if (failover === 'smaller-hold' && isSynapseError(error, 'budget-exceeded')) {
      this.#refusal = { error };
    }
    if (failover === 'larger-context') {
      this.#overflow = { error, window: llm.capabilities?.contextWindow ?? 0 };
    }
    if (failover === 'other-model') this.#goneModels.set(llm.id, error);
    // A circuit that closed its door between the look at it and the call: the provider was not asked.
    const asked = this.#attempts.sent > this.#sentBefore || !isLocalRefusal(error);
    this.#record({ id: llm.id, outcome: asked ? 'failed' : 'skipped', error });
  }

  served(generation: Generation): Generation {
    return {
      ...this.#attempts.addTo(generation),
      failures: [...this.#failures, ...generation.failures],
    };
  }

  /** The error when no candidate is left. */
  exhausted(): unknown {
    const errors = this.#failures.map(({ error }) => error);
    const budgetOnly = errors.length > 0 && errors.every((error) => isSynapseError(error, 'budget-exceeded'));
    // A caller who handles refusals must find one, not a parcel with one in it.
    if (budgetOnly) return this.#refusal?.error ?? errors.at(-1);
    const waits = errors.map(retryAfterOf).filter((wait) => wait !== undefined);
    const told = this.#failures
      .map(({ id, outcome, error }) => `${id} ${outcome}: ${messageOf(error)}`)
      .join('; ');
    return new AllProvidersFailedError(
      this.#failures.length === 0
        ? 'No model to ask: the list of candidates is empty.'
        : `None of ${this.#failures.length} models could serve. ${told}. See \`errors\` for each.`,
      { errors: this.#failures, ...(waits.length > 0 && { retryAfterMs: Math.ceil(Math.min(...waits)) }) },
    );
  }

  #record(failure: ProviderFailure): void {
    this.#failures.push(failure);
    this.#hooks.onFailure?.(failure);
  }
}

/** Whether a hold is smaller than what a budget has just refused. */
function needsLess(quote: HoldQuote, { neededUsd, tokens }: BudgetExceededError): boolean {
  if (tokens !== undefined) return quote.tokens !== undefined && quote.tokens < tokens.needed;
  return neededUsd !== undefined && quote.pico < parseUsd(neededUsd);
}

const localRefusals: ReadonlySet<ErrorCode> = new Set([
  'budget-exceeded',
  'bulkhead-full',
  'circuit-open',
  'rate-limited',
  'unknown-price',
]);

/** Refused by a policy of ours, before anything was sent. */
function isLocalRefusal(error: unknown): boolean {
  return isSynapseError(error) && localRefusals.has(error.code);
}

function retryAfterOf(error: unknown): number | undefined {
  const wait = isSynapseError(error) ? (error as { retryAfterMs?: unknown }).retryAfterMs : undefined;
  return typeof wait === 'number' ? wait : undefined;
}

/** Only our own messages are known to carry no prompt. */
function messageOf(error: unknown): string {
  if (isSynapseError(error)) return error.message.replace(/\.$/, '');
  return error instanceof Error ? error.name : 'a thrown value';
}

/** Whether any of several models would be asked right now; the shortest known wait when none would. */
export function anyAvailable(candidates: readonly LLM[]): Availability {
  let first: Availability | undefined;
  let retryAfterMs: number | undefined;
  for (const llm of candidates) {
    const state: Availability = llm.availability?.() ?? { available: true };
    if (state.available) return state;
    first ??= state;
    if (state.retryAfterMs !== undefined)
      retryAfterMs = Math.min(state.retryAfterMs, retryAfterMs ?? Infinity);
  }
  const error =
    first?.available === false
      ? first.error
      : new AllProvidersFailedError('No model to ask.', { errors: [] });
  return { available: false, error, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}
