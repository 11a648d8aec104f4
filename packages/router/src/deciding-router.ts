import {
  type Availability,
  anyAvailable,
  type CallOptions,
  type Clock,
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
  relay,
  type StreamContext,
  type StreamEvent,
} from '@synapsekit/core';
import { type Decision, RouteDesk, type RouteQuestion } from '../policy/route-desk.ts';
import type { RoutePolicy } from '../policy/route-policy.ts';
import { inScope, noScope, openStream, type RouteScope } from '../route-scope.ts';
import type { RouteBase, RoutedGeneration } from '../routed.ts';
import { RoutedCall } from '../routed-call.ts';

/** Options that all routers with a trained model have. */
export interface DecidingRouterOptions extends FailoverHooks {
  /** Rules round the choice: budgets, conversations, caps, shadow samples. @default none */
  readonly policies?: readonly RoutePolicy[] | undefined;
  /** Put around the step `"answer"`, as in `Router`. @default nothing */
  readonly scope?: RouteScope | undefined;
  /** Price list for `route.costs`, and for the expected cost of models whose outcomes held none: `tracker.prices`. @default none */
  readonly prices?: PriceLookup | undefined;
  /** Name of this router as a model. */
  readonly id?: string | undefined;
  /** Source of decision ids. @default systemIds */
  readonly ids?: IdSource | undefined;
  /** Clock of the decisions' time stamps. @default systemClock */
  readonly clock?: Clock | undefined;
}

export const decidingRouterKeys: readonly string[] = [
  'policies',
  'scope',
  'prices',
  'id',
  'ids',
  'clock',
  'onFailure',
];

/** What a router wants for one call, and what it tells of it. */
export interface Choice<Told> {
  readonly question: Pick<RouteQuestion, 'candidates' | 'qualityPerUsd' | 'rank'>;
  readonly told: Told;
}

/** A router that decides by itself, at once, who is asked; everything around the decision is the same for all of them. */
export abstract class DecidingRouter<Told extends object> implements LLM {
  readonly provider = 'router';
  readonly model: string;
  readonly id: string;
  protected readonly prices: PriceLookup | undefined;
  readonly #models: readonly LLM[];
  readonly #scope: RouteScope;
  readonly #desk: RouteDesk;
  readonly #hooks: FailoverHooks;

  constructor(
    models: readonly LLM[],
    id: string,
    options: DecidingRouterOptions,
    policies: readonly RoutePolicy[],
  ) {
    const { scope = noScope, prices, ids, clock, onFailure } = options;
    this.id = id;
    this.model = id;
    this.prices = prices;
    this.#models = models;
    this.#scope = scope;
    this.#desk = new RouteDesk({ router: id, policies, ids, clock });
    this.#hooks = { onFailure };
  }

  /** The models that may be asked. */
  candidates(): readonly LLM[] {
    return this.#models;
  }

  /** Available as long as any of its models is. */
  availability(): Availability {
    return anyAvailable(this.#models);
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

  async generate(prompt: Prompt, options: CallOptions = {}): Promise<RoutedGeneration<RouteBase & Told>> {
    options.signal?.throwIfAborted();
    const call = new RoutedCall(this.prices, options);
    const { decision, told } = this.#decide(prompt, options);
    try {
      const generation = await inScope(this.#scope, 'answer', () =>
        failoverGenerate(decision.plan, prompt, call.optionsFor('answer'), this.#hooks),
      );
      return this.#routed(generation, decision, told, call);
    } catch (error) {
      this.#failed(error, decision, call);
      throw error;
    }
  }

  stream(prompt: Prompt, options: CallOptions = {}): GenerationStream<RoutedGeneration<RouteBase & Told>> {
    return createGenerationStream((context) => this.#events(context, prompt, options), {
      signal: options.signal,
    });
  }

  async *#events(
    context: StreamContext<RoutedGeneration<RouteBase & Told>>,
    prompt: Prompt,
    callerOptions: CallOptions,
  ): AsyncGenerator<StreamEvent, RoutedGeneration<RouteBase & Told>, undefined> {
    const { signal } = context;
    const options = { ...callerOptions, signal };
    const call = new RoutedCall(this.prices, options);
    const { decision, told } = this.#decide(prompt, options);
    const routed = (generation: Generation) => this.#routed(generation, decision, told, call);
    const partial = async (
      generation: Generation | Promise<Generation>,
    ): Promise<RoutedGeneration<RouteBase & Told>> => {
      try {
        return routed(await generation);
      } catch (error) {
        this.#failed(error, decision, call);
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
      this.#failed(error, decision, call);
      throw error;
    }
  }

  /** Who is to be asked for a call, as far as the router itself is concerned. */
  protected abstract choose(prompt: Prompt, options: CallOptions): Choice<Told>;

  /** Told of each decision, after the policies have spoken. */
  protected decided(_decision: Decision): void {}

  /** Told once how each decided call has ended. */
  protected ended(_decision: Decision, _costUsd: number | undefined): void {}

  #decide(prompt: Prompt, options: CallOptions): { readonly decision: Decision; readonly told: Told } {
    this.#desk.requireServable(prompt, options, this.#models);
    const { question, told } = this.choose(prompt, options);
    const decision = this.#desk.decide({ prompt, options, ...question });
    this.decided(decision);
    return { decision, told };
  }

  #routed(
    generation: Generation,
    decision: Decision,
    told: Told,
    call: RoutedCall,
  ): RoutedGeneration<RouteBase & Told> {
    call.note('answer', generation.attempts);
    const { attempts, costs, costUsd } = call.costs();
    decision.settle({ generation, costUsd, attempts });
    this.ended(decision, costUsd);
    const { record } = decision;
    const { servedBy, failures } = generation;
    const route = { decision: record, planned: record.planned, servedBy, failures, costs, costUsd, ...told };
    return { ...generation, attempts, route };
  }

  #failed(error: unknown, decision: Decision, call: RoutedCall): void {
    const { attempts, costUsd } = call.costs();
    decision.settle({ error, costUsd, attempts });
    this.ended(decision, costUsd);
  }
}
