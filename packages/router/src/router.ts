import {
  type Availability,
  anyAvailable,
  type CallOptions,
  type Clock,
  ConfigError,
  createGenerationStream,
  type FailoverHooks,
  failoverGenerate,
  failoverStream,
  type Generation,
  type GenerationStream,
  type IdSource,
  type LLM,
  type PriceLookup,
  type Prompt,
  raceAbort,
  rejectUnknownKeys,
  relay,
  type StreamContext,
  type StreamEvent,
} from '@synapsekit/core';
import type { Classification, ComplexityClassifier } from './classifier.ts';
import { type Complexity, complexities, isComplexity } from './complexity.ts';
import { LengthClassifier } from './length-classifier.ts';
import { expectedCostUsd } from './policy/expected-cost.ts';
import { type Decision, RouteDesk } from './policy/route-desk.ts';
import type { RouteCandidate, RoutePolicy } from './policy/route-policy.ts';
import { inScope, noScope, openStream, type RouteScope } from './route-scope.ts';
import type { Route, RoutedGeneration } from './routed.ts';
import { RoutedCall } from './routed-call.ts';

/** Options of a `Router`. */
export interface RouterOptions extends FailoverHooks {
  readonly classifier: ComplexityClassifier;
  /** Who answers queries of which complexity: one model, or several in the order in which they are asked. */
  readonly routes: Readonly<Record<Complexity, LLM | readonly LLM[]>>;
  /** Put around each step: it calls `fn`, once, and awaits it. E.g. `(step, fn) => tracker.scope('step:' + step, fn)`. @default nothing */
  readonly scope?: RouteScope | undefined;
  /** Price list for `route.costs`: `tracker.prices`. Nothing is booked here. @default none */
  readonly prices?: PriceLookup | undefined;
  /** Rules round the choice: budgets, conversations, caps, shadow samples. @default none */
  readonly policies?: readonly RoutePolicy[] | undefined;
  /** Name of this router as a model. @default "router" */
  readonly id?: string | undefined;
  /** Source of decision ids. @default systemIds */
  readonly ids?: IdSource | undefined;
  /** Clock of the decisions' time stamps. @default systemClock */
  readonly clock?: Clock | undefined;
}

const known = ['classifier', 'routes', 'scope', 'prices', 'policies', 'id', 'ids', 'clock', 'onFailure'];

/**
 * Sends each query to the cheapest model that will do: classifies it, then asks the models of its route in order. A
 * model that cannot serve the request (its context window, tools, images, JSON schema) is left out, one whose circuit
 * is open is skipped without a call; one that fails is passed over, never after the first token of a stream. A router
 * is an `LLM`: wrap it, put it into a chain, give it to another router.
 *
 * @throws ConfigError for a missing route or classifier, or an unknown option. Calls throw NoCandidateError when no
 *   model of any route can serve the request, and what `failoverGenerate` throws.
 */
export class Router implements LLM {
  readonly provider = 'router';
  readonly model: string;
  readonly id: string;
  readonly #classifier: ComplexityClassifier;
  readonly #routes: Readonly<Record<Complexity, readonly LLM[]>>;
  readonly #scope: RouteScope;
  readonly #prices: PriceLookup | undefined;
  readonly #desk: RouteDesk;
  readonly #hooks: FailoverHooks;

  constructor(options: RouterOptions) {
    rejectUnknownKeys(options, known, 'Router');
    const { classifier, routes, scope = noScope, prices, id = 'router', onFailure } = options;
    const { policies, ids, clock } = options;
    if (typeof classifier?.classify !== 'function') {
      throw new ConfigError('Router needs a classifier, e.g. new LLMClassifier({ llm }).', {
        option: 'classifier',
      });
    }
    this.id = id;
    this.model = id;
    this.#classifier = classifier;
    this.#routes = checkRoutes(routes);
    this.#scope = scope;
    this.#prices = prices;
    this.#desk = new RouteDesk({ router: id, policies, ids, clock });
    this.#hooks = { onFailure };
  }

  /** The models that may be asked: those of all routes, and the classifier's. */
  candidates(): readonly LLM[] {
    const { llm } = this.#classifier;
    return [...new Set([...(llm === undefined ? [] : [llm]), ...this.#models()])];
  }

  /** Available as long as any model of any route is. */
  availability(): Availability {
    return anyAvailable(this.#models());
  }

  /**
   * Says how good an answer was: the policies that collect outcomes write it down.
   *
   * @param decisionId `route.decision.id` of the answer.
   * @param score 0 (useless) to 1 (right).
   * @returns false when the decision is not known (any more).
   * @throws ConfigError for a score outside 0 to 1, or when no policy collects scores.
   */
  feedback(decisionId: string, score: number): boolean {
    return this.#desk.feedback(decisionId, score);
  }

  async generate(prompt: Prompt, options: CallOptions = {}): Promise<RoutedGeneration> {
    const call = new RoutedCall(this.#prices, options);
    const { classification, decision } = await this.#decide(prompt, options, call);
    try {
      const generation = await inScope(this.#scope, 'answer', () =>
        failoverGenerate(decision.plan, prompt, call.optionsFor('answer'), this.#hooks),
      );
      return this.#routed(generation, classification, decision, call);
    } catch (error) {
      decision.settle({ error, ...call.costs() });
      throw error;
    }
  }

  stream(prompt: Prompt, options: CallOptions = {}): GenerationStream<RoutedGeneration> {
    return createGenerationStream((context) => this.#events(context, prompt, options), {
      signal: options.signal,
    });
  }

  async *#events(
    context: StreamContext<RoutedGeneration>,
    prompt: Prompt,
    callerOptions: CallOptions,
  ): AsyncGenerator<StreamEvent, RoutedGeneration, undefined> {
    const { signal } = context;
    const options = { ...callerOptions, signal };
    const call = new RoutedCall(this.#prices, options);
    const { classification, decision } = await this.#decide(prompt, options, call);
    const routed = (generation: Generation) => this.#routed(generation, classification, decision, call);
    const partial = async (generation: Generation | Promise<Generation>): Promise<RoutedGeneration> => {
      try {
        return routed(await generation);
      } catch (error) {
        decision.settle({ error, ...call.costs() });
        throw error;
      }
    };
    try {
      const { stream, end } = await openStream(this.#scope, 'answer', () =>
        failoverStream(decision.plan, prompt, call.optionsFor('answer'), this.#hooks),
      );
      try {
        const answer = relay(
          { signal, partial: (generation) => context.partial(partial(generation)) },
          stream,
        );
        return routed(yield* answer);
      } finally {
        end();
      }
    } catch (error) {
      decision.settle({ error, ...call.costs() });
      throw error;
    }
  }

  async #decide(
    prompt: Prompt,
    options: CallOptions,
    call: RoutedCall,
  ): Promise<{ readonly classification: Classification; readonly decision: Decision }> {
    this.#desk.requireServable(prompt, options, this.#models());
    const classification = await this.#classify(prompt, call);
    // Models that do not report their attempts as they end still list them in their answer.
    call.note('classify', classification.generation?.attempts ?? []);
    const candidates = this.#candidatesFor(classification.complexity, prompt, options);
    return { classification, decision: this.#desk.decide({ prompt, options, candidates }) };
  }

  /** The route's own models, and those of stronger and then weaker routes for when policies rule these out. */
  #candidatesFor(complexity: Complexity, prompt: Prompt, options: CallOptions): readonly RouteCandidate[] {
    const at = complexities.indexOf(complexity);
    const order = [complexity, ...complexities.slice(at + 1), ...complexities.slice(0, at).toReversed()];
    const seen = new Set<LLM>();
    const candidates: RouteCandidate[] = [];
    for (const name of order) {
      for (const llm of this.#routes[name]) {
        if (seen.has(llm)) continue;
        seen.add(llm);
        candidates.push({
          llm,
          tier: complexities.indexOf(name),
          costUsd: expectedCostUsd(llm, prompt, options, this.#prices),
          reserve: name !== complexity,
        });
      }
    }
    return candidates;
  }

  #routed(
    generation: Generation,
    classification: Classification,
    decision: Decision,
    call: RoutedCall,
  ): RoutedGeneration {
    call.note('answer', generation.attempts);
    const { attempts, costs, costUsd } = call.costs();
    const route: Route = {
      complexity: classification.complexity,
      classifiedBy: classification.source ?? 'local',
      ...(classification.error !== undefined && { classifierError: classification.error }),
      decision: decision.record,
      planned: decision.record.planned,
      servedBy: generation.servedBy,
      failures: generation.failures,
      costs,
      costUsd,
    };
    decision.settle({ generation, costUsd, attempts });
    return { ...generation, attempts, route };
  }

  #classify(prompt: Prompt, call: RoutedCall): Promise<Classification> {
    return inScope(this.#scope, 'classify', async () => {
      const options = call.optionsFor('classify');
      const { signal } = options;
      signal?.throwIfAborted();
      try {
        const found = await raceAbort(this.#classifier.classify(prompt, options), signal);
        if (isComplexity(found?.complexity)) return found;
        throw new ConfigError(`The classifier must find one of ${complexities.join(', ')}.`, {
          option: 'classifier',
        });
      } catch (error) {
        if (signal?.aborted === true) throw signal.reason;
        return { ...(await prior.classify(prompt)), error };
      }
    });
  }

  #models(): readonly LLM[] {
    return Object.values(this.#routes).flat();
  }
}

const prior = new LengthClassifier();

function checkRoutes(routes: RouterOptions['routes']): Readonly<Record<Complexity, readonly LLM[]>> {
  rejectUnknownKeys(routes, complexities, 'routes');
  const entries = complexities.map((complexity) => {
    const route = routes[complexity];
    const models: readonly LLM[] = Array.isArray(route) ? route : [route as LLM];
    if (models.length === 0 || models.some((llm) => typeof llm?.generate !== 'function')) {
      throw new ConfigError(`routes.${complexity} must be a model or a list of models.`, {
        option: 'routes',
      });
    }
    return [complexity, [...models]] as const;
  });
  return Object.fromEntries(entries) as Record<Complexity, readonly LLM[]>;
}
