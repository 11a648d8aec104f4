import { BudgetGuard, enforceBudget } from '@synapsekit/budget';
import { type InspectableLedger, type LLM, type Random, type SpendSource, wrap } from '@synapsekit/core';
import { CostTracker, trackCost } from '@synapsekit/cost';
import { GroqLLM } from '@synapsekit/llm-groq';
import { OpenAILLM } from '@synapsekit/llm-openai';
import {
  Bulkhead,
  breakOn,
  bulkhead,
  CircuitBreaker,
  fallbackChain,
  retry,
  timeout,
} from '@synapsekit/resilience';
import type { SimulatedProvider } from '@synapsekit/testing';
import type { Violations } from './violations.ts';
import type { WatchedClock } from './watched-clock.ts';

/** What a stack is built on. */
export interface StackParts {
  readonly simulated: SimulatedProvider;
  readonly ledger: InspectableLedger;
  readonly clock: WatchedClock;
  readonly random: Random;
  readonly guardName: string;
  readonly violations: Violations;
}

/** Users whose budget is so tight that they are refused, or wait, most of the time. */
const isTight = (user: string): boolean => user.endsWith('0') || user.endsWith('5');

/** Warnings that say nothing about this run. */
const expectedWarnings: ReadonlySet<string> = new Set(['SYNAPSEKIT_MODEL_RETIRED']);

/** Everything between the callers and the providers. */
export class Stack {
  readonly tracker: CostTracker;
  readonly guard: BudgetGuard;
  readonly places: Bulkhead = new Bulkhead({ maxConcurrent: 60, maxQueued: 20 });
  /** Models with their policies, alone and in chains; the guard inside and outside of them. */
  readonly models: readonly LLM[];

  constructor({ simulated, ledger, clock, random, guardName, violations }: StackParts) {
    const onWarning = ({ code, message }: { readonly code: string; readonly message: string }): void => {
      violations.expect(expectedWarnings.has(code), `warning ${code}`, message);
    };
    // Small memories fill up at once: what grows after that is a leak.
    const tracker = new CostTracker({
      clock,
      onWarning,
      maxScopeNames: 200,
      maxScopePaths: 200,
      maxRecent: 100,
      maxRememberedAttempts: 500,
    });
    this.tracker = tracker;
    const tight = { total: 1_000_000, rolling: { windowSeconds: 5, limit: '0.0006' } };
    const guard = new BudgetGuard(
      {
        perRequest: 1,
        daily: 1_000_000,
        total: 1_000_000,
        by: { userId: (user) => (isTight(user) ? tight : { total: 1_000_000 }) },
      },
      {
        tracker: tracker satisfies SpendSource,
        ledger,
        clock,
        name: guardName,
        onWarning,
        onExceeded: ['queue', 'block'],
        queueTimeoutMs: 300,
      },
    );
    this.guard = guard;

    const again = (): ReturnType<typeof retry> =>
      retry({ maxAttempts: 3, baseDelayMs: 5, maxDelayMs: 20, clock, random });
    // Long enough for a busy machine: only what stalls for good runs into them.
    const limits = { timeoutMs: 20_000, firstTokenTimeoutMs: 6_000, idleTimeoutMs: 4_000 };
    const config = { maxTokens: 300, trackTokens: true, ...limits };
    const common = { config, clock, apiKey: 'any', attemptIdHeader: 'x-synapsekit-attempt' };
    const mini = new OpenAILLM({ ...common, model: 'gpt-4o-mini', baseURL: simulated.openaiBaseURL });
    const large = new OpenAILLM({ ...common, model: 'gpt-4o', baseURL: simulated.openaiBaseURL });
    const llama = new GroqLLM({ ...common, model: 'llama-3.1-8b-instant', baseURL: simulated.groqBaseURL });
    const breaker = (name: string): ReturnType<typeof breakOn> =>
      breakOn(
        new CircuitBreaker({
          name,
          failureThreshold: 40,
          windowSeconds: 1,
          recoveryTimeout: 0.1,
          clock,
          random,
        }),
      );
    const [ofOpenAI, ofGroq] = [breaker('openai'), breaker('groq')];
    const full = (llm: LLM): LLM =>
      wrap(llm, again(), enforceBudget(guard), llm === llama ? ofGroq : ofOpenAI, trackCost(tracker));
    const plain = (llm: LLM): LLM => wrap(llm, again(), llm === llama ? ofGroq : ofOpenAI);
    const [fullMini, fullLlama] = [full(mini), full(llama)];
    this.models = [
      fullMini,
      fullLlama,
      full(large),
      fallbackChain([fullMini, fullLlama], { clock, random }),
      wrap(
        fallbackChain([fullLlama, fullMini], { clock, random }),
        timeout({ totalMs: 30_000, clock }),
        bulkhead(this.places),
      ),
      wrap(
        fallbackChain([plain(mini), plain(llama)], { clock, random }),
        enforceBudget(guard),
        trackCost(tracker),
      ),
    ];
  }
}
