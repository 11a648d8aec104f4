import { BudgetGuard, type BudgetLimit, enforceBudget } from '@synapsekit/budget';
import { type GenerationStream, type LedgerStore, type LLM, wrap } from '@synapsekit/core';
import { CostTracker, type CostWarning, trackCost } from '@synapsekit/cost';
import { breakOn, CircuitBreaker, fallbackChain, retry } from '@synapsekit/resilience';
import { LLMClassifier, type RoutedGeneration, Router } from '@synapsekit/router';
import type { Role } from './models.ts';

/** What the pipeline is built from. */
export interface PipelineOptions {
  /** Who classifies and answers simple queries, who answers medium and complex ones, who steps in. */
  readonly models: Readonly<Record<Role, LLM>>;
  /** What may be spent, in US dollars. */
  readonly limits: BudgetLimit;
  /** Where it is counted. @default in the memory of this process */
  readonly ledger?: LedgerStore | undefined;
  /** How often a model is asked before the next one is. @default 2 */
  readonly maxAttempts?: number | undefined;
  /** Seconds that a broken circuit stays open. @default 60 */
  readonly recoveryTimeout?: number | undefined;
  /** Told of models that are withdrawn or have no price. */
  readonly onWarning?: ((warning: CostWarning) => void) | undefined;
}

/** A query, routed and answered within a budget. */
export interface Pipeline {
  readonly tracker: CostTracker;
  readonly guard: BudgetGuard;
  readonly breakers: Readonly<Record<'openai' | 'groq', CircuitBreaker>>;
  readonly router: Router;
  /** The models as the router asks them: with every policy around. */
  readonly models: Readonly<Record<Role, LLM>>;
  /** Answers a query in a cost scope of its own, `pipeline:{name}`. With `onText` the answer is streamed. */
  ask(query: string, options: AskOptions): Promise<Answer>;
}

/** How one query is asked. */
interface AskOptions {
  readonly name: string;
  readonly signal?: AbortSignal | undefined;
  readonly onText?: ((text: string) => void) | undefined;
}

/** An answer, how it came about, and what all of it cost. */
export interface Answer {
  readonly text: string;
  readonly route: RoutedGeneration['route'];
  /** Classifier, answer, retries and failed attempts together. */
  readonly costUsd: number;
}

/** The whole tutorial in one function: routing, nested costs, budgets, circuit breakers, failover. */
export function createPipeline(options: PipelineOptions): Pipeline {
  const { limits, ledger, maxAttempts = 2, recoveryTimeout = 60, onWarning } = options;

  // Money: what has been spent, in nested scopes, and what may be.
  const tracker = new CostTracker({ onWarning });
  const guard = new BudgetGuard(limits, { tracker, ledger, ledgerTimeoutMs: 10_000, name: 'demo' });

  // Health: one circuit breaker per provider, shared by its models.
  const breakers = {
    openai: new CircuitBreaker({ name: 'openai', failureThreshold: 3, windowSeconds: 30, recoveryTimeout }),
    groq: new CircuitBreaker({ name: 'groq', failureThreshold: 5, windowSeconds: 60, recoveryTimeout }),
  };

  // Every policy wraps a model and is a model again. Outermost first: each attempt is tracked, an open circuit is not
  // hammered by retries, and a budget that refuses has not used up the circuit's probe.
  const guarded = (llm: LLM): LLM =>
    wrap(
      llm,
      retry({ maxAttempts, baseDelayMs: 100 }),
      enforceBudget(guard),
      breakOn(llm.provider === 'groq' ? breakers.groq : breakers.openai),
      trackCost(tracker, { scope: (call) => `llm:${call.id}` }),
    );
  const models = {
    cheap: guarded(options.models.cheap),
    medium: guarded(options.models.medium),
    strong: guarded(options.models.strong),
    spare: guarded(options.models.spare),
  };

  // The cheapest model says how hard a query is; each answer comes from the first model of its route that can.
  const router = new Router({
    classifier: new LLMClassifier({ llm: models.cheap }),
    scope: (step, fn) => tracker.scope(`step:${step}`, fn),
    prices: tracker.prices,
    routes: {
      simple: fallbackChain([models.cheap, models.spare]),
      medium: fallbackChain([models.medium, models.spare]),
      complex: fallbackChain([models.strong, models.medium]),
    },
  });

  const ask = (query: string, { name, signal, onText }: AskOptions): Promise<Answer> =>
    tracker.scope(`pipeline:${name}`, async (pipeline) => {
      const { text, route } = await (onText === undefined
        ? router.generate(query, { signal })
        : readAloud(router.stream(query, { signal }), onText));
      return { text, route, costUsd: pipeline.costUsd };
    });

  return { tracker, guard, breakers, router, models, ask };
}

/** Hands on the text of a stream as it comes, and returns the whole. */
async function readAloud(
  stream: GenerationStream<RoutedGeneration>,
  onText: (text: string) => void,
): Promise<RoutedGeneration> {
  for await (const text of stream.textStream) onText(text);
  return stream.result;
}
