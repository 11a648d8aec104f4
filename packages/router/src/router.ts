import {
  type Availability,
  anyAvailable,
  type CallOptions,
  ConfigError,
  createGenerationStream,
  type FailoverHooks,
  failoverGenerate,
  failoverStream,
  type Generation,
  type GenerationStream,
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
import type { RoutedGeneration, RouteStep } from './routed.ts';
import { RoutedCall } from './routed-call.ts';

/** Runs a step of the router inside something of the caller's: a cost scope, a span. */
export type RouteScope = <T>(step: RouteStep, fn: () => Promise<T>) => Promise<T>;

/** Options of a `Router`. */
export interface RouterOptions extends FailoverHooks {
  readonly classifier: ComplexityClassifier;
  /** Who answers queries of which complexity: one model, or several in the order in which they are asked. */
  readonly routes: Readonly<Record<Complexity, LLM | readonly LLM[]>>;
  /** Put around each step: it calls `fn`, once, and awaits it. E.g. `(step, fn) => tracker.scope('step:' + step, fn)`. @default nothing */
  readonly scope?: RouteScope | undefined;
  /** Price list for `route.costs`: `tracker.prices`. Nothing is booked here. @default none */
  readonly prices?: PriceLookup | undefined;
  /** Name of this router as a model. @default "router" */
  readonly id?: string | undefined;
}

const known = ['classifier', 'routes', 'scope', 'prices', 'id', 'onFailure'];

/**
 * Sends each query to the cheapest model that will do: classifies it, then asks the models of its route in order. A
 * model whose circuit is open is skipped without a call; one that fails is passed over, never after the first token
 * of a stream. A router is an `LLM`: wrap it, put it into a chain, give it to another router.
 *
 * @throws ConfigError for a missing route or classifier, or an unknown option.
 */
export class Router implements LLM {
  readonly provider = 'router';
  readonly model: string;
  readonly id: string;
  readonly #classifier: ComplexityClassifier;
  readonly #routes: Readonly<Record<Complexity, readonly LLM[]>>;
  readonly #scope: RouteScope;
  readonly #prices: PriceLookup | undefined;
  readonly #hooks: FailoverHooks;

  constructor(options: RouterOptions) {
    rejectUnknownKeys(options, known, 'Router');
    const { classifier, routes, scope = (_, fn) => fn(), prices, id = 'router', onFailure } = options;
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
    this.#hooks = { onFailure };
  }

  /** The models that may be asked: those of all routes, and the classifier's. */
  candidates(): readonly LLM[] {
    const { llm } = this.#classifier;
    return [...new Set([...(llm === undefined ? [] : [llm]), ...Object.values(this.#routes).flat()])];
  }

  /** Available as long as any model of any route is. */
  availability(): Availability {
    return anyAvailable(Object.values(this.#routes).flat());
  }

  async generate(prompt: Prompt, options: CallOptions = {}): Promise<RoutedGeneration> {
    const call = new RoutedCall(this.#prices, options);
    const classification = await this.#classify(prompt, call);
    const candidates = this.#routes[classification.complexity];
    const generation = await this.#inScope('answer', () =>
      failoverGenerate(candidates, prompt, call.optionsFor('answer'), this.#hooks),
    );
    return call.routed(generation, classification, candidates);
  }

  stream(prompt: Prompt, options: CallOptions = {}): GenerationStream<RoutedGeneration> {
    return createGenerationStream((context) => this.#events(context, prompt, options), {
      signal: options.signal,
    });
  }

  async *#events(
    context: StreamContext<RoutedGeneration>,
    prompt: Prompt,
    options: CallOptions,
  ): AsyncGenerator<StreamEvent, RoutedGeneration, undefined> {
    const { signal } = context;
    const call = new RoutedCall(this.#prices, { ...options, signal });
    const classification = await this.#classify(prompt, call);
    const candidates = this.#routes[classification.complexity];
    const routed = (generation: Generation) => call.routed(generation, classification, candidates);
    const { stream, end } = await this.#openStream(() =>
      failoverStream(candidates, prompt, call.optionsFor('answer'), this.#hooks),
    );
    const partial = async (generation: Generation | Promise<Generation>) => routed(await generation);
    try {
      const answer = relay({ signal, partial: (generation) => context.partial(partial(generation)) }, stream);
      return routed(yield* answer);
    } finally {
      end();
    }
  }

  #classify(prompt: Prompt, call: RoutedCall): Promise<Classification> {
    return this.#inScope('classify', async () => {
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

  /** Runs a step in its scope. What the step gives counts, not what the scope makes of it. */
  async #inScope<T>(step: RouteStep, fn: () => Promise<T>): Promise<T> {
    let result: { readonly value: T } | undefined;
    await this.#scope(step, async () => {
      const value = await fn();
      result = { value };
      return value;
    });
    if (result === undefined) throw stepNotRun(step);
    return result.value;
  }

  /** Creates a stream inside the answer's scope and keeps that scope open until `end`. */
  async #openStream(
    create: () => GenerationStream,
  ): Promise<{ readonly stream: GenerationStream; readonly end: () => void }> {
    const opened = Promise.withResolvers<GenerationStream>();
    const ended = Promise.withResolvers<void>();
    const scope = this.#scope('answer', async () => {
      opened.resolve(create());
      await ended.promise;
    });
    // A scope that ends before it has run the step must not leave us waiting.
    scope.then(() => opened.reject(stepNotRun('answer')), opened.reject);
    return { stream: await opened.promise, end: ended.resolve };
  }
}

const prior = new LengthClassifier();

function stepNotRun(step: RouteStep): ConfigError {
  return new ConfigError(`scope did not run the step "${step}". It must call fn, once, and await it.`, {
    option: 'scope',
  });
}

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
