import {
  type CallOptions,
  ConfigError,
  type LLM,
  type Prompt,
  raceAbort,
  rejectUnknownKeys,
} from '@synapsekit/core';
import type { Classification, ComplexityClassifier } from './classifier.ts';
import { type Complexity, complexities, isComplexity } from './complexity.ts';
import {
  type Choice,
  DecidingRouter,
  type DecidingRouterOptions,
  decidingRouterKeys,
} from './deciding-router.ts';
import { LengthClassifier } from './length-classifier.ts';
import { expectedCostUsd } from './policy/expected-cost.ts';
import type { RouteCandidate } from './policy/route-policy.ts';
import { inScope } from './route-scope.ts';
import type { Route } from './routed.ts';
import type { RoutedCall } from './routed-call.ts';

/** Options of a `Router`. */
export interface RouterOptions extends DecidingRouterOptions {
  readonly classifier: ComplexityClassifier;
  /** Who answers queries of which complexity: one model, or several in the order in which they are asked. */
  readonly routes: Readonly<Record<Complexity, LLM | readonly LLM[]>>;
}

const known = ['classifier', 'routes', ...decidingRouterKeys];

/**
 * Sends each query to the cheapest model that will do: classifies it, then asks the models of its route in order. A
 * model that cannot serve the request (its context window, tools, images, JSON schema) is left out, one whose circuit
 * is open is skipped without a call; one that fails is passed over, never after the first token of a stream. A router
 * is an `LLM`: wrap it, put it into a chain, give it to another router.
 *
 * @throws ConfigError for a missing route or classifier, or an unknown option. Calls throw NoCandidateError when no
 *   model of any route can serve the request, and what `failoverGenerate` throws.
 */
export class Router extends DecidingRouter<Route> {
  readonly #classifier: ComplexityClassifier;
  readonly #routes: Readonly<Record<Complexity, readonly LLM[]>>;

  constructor(options: RouterOptions) {
    rejectUnknownKeys(options, known, 'Router');
    const { classifier, policies, id = 'router' } = options;
    if (typeof classifier?.classify !== 'function') {
      throw new ConfigError('Router needs a classifier, e.g. new LLMClassifier({ llm }).', {
        option: 'classifier',
      });
    }
    const routes = checkRoutes(options.routes);
    super(Object.values(routes).flat(), id, options, policies);
    this.#classifier = classifier;
    this.#routes = routes;
  }

  /** The models that may be asked: those of all routes, and the classifier's. */
  override candidates(): readonly LLM[] {
    const { llm } = this.#classifier;
    return [...new Set([...(llm === undefined ? [] : [llm]), ...super.candidates()])];
  }

  protected async choose(prompt: Prompt, options: CallOptions, call: RoutedCall): Promise<Choice<Route>> {
    const { complexity, source, generation, error } = await this.#classify(prompt, call);
    // Models that do not report their attempts as they end still list them in their answer.
    call.note('classify', generation?.attempts ?? []);
    return {
      question: { candidates: this.#candidatesFor(complexity, prompt, options) },
      told: {
        complexity,
        classifiedBy: source ?? 'local',
        ...(error !== undefined && { classifierError: error }),
      },
    };
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
          costUsd: expectedCostUsd(llm, prompt, options, this.prices),
          reserve: name !== complexity,
        });
      }
    }
    return candidates;
  }

  #classify(prompt: Prompt, call: RoutedCall): Promise<Classification> {
    return inScope(this.scope, 'classify', async () => {
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
