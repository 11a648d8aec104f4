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
  passOn,
  type StreamContext,
  type StreamEvent,
} from '@synapsekit/core';
import { type Decision, RouteDesk, type RouteQuestion } from './policy/route-desk.ts';
import type { RoutePolicy } from './policy/route-policy.ts';
import { inScope, noScope, openStream, type RouteScope } from './route-scope.ts';
import type { RouteBase, RoutedGeneration } from './routed.ts';
import { RoutedCall } from './routed-call.ts';

/** Options that all routers have which decide before anybody is asked. */
export interface DecidingRouterOptions extends FailoverHooks {
  /** Rules round the choice: budgets, conversations, caps, shadow samples. @default none */
  readonly policies?: readonly RoutePolicy[] | undefined;
  /** Put around each step: it calls `fn`, once, and awaits it. E.g. `(step, fn) => tracker.scope('step:' + step, fn)`. @default nothing */
  readonly scope?: RouteScope | undefined;
  /** Price list for `route.costs`, and for the expected cost of models whose outcomes held none: `tracker.prices`. Nothing is booked here. @default none */
  readonly prices?: PriceLookup | undefined;
  /** Name of this router as a model. @default "router", "learned" or "calibrated", as its class is */
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

/** What a router wants for one call, and what it tells of it in the route. */
export interface Choice<R extends RouteBase> {
  readonly question: Pick<RouteQuestion, 'candidates' | 'qualityPerUsd' | 'rank'>;
  readonly told: Omit<R, keyof RouteBase>;
}

/** A call that is decided about. */
interface DecidedCall<R extends RouteBase> {
  readonly call: RoutedCall;
  readonly decision: Decision;
  readonly told: Choice<R>['told'];
}

/** A router that decides who is asked before anybody is; everything around the decision is the same for all of them. */
export abstract class DecidingRouter<R extends RouteBase> implements LLM {
  readonly provider = 'router';
  readonly model: string;
  readonly id: string;
  protected readonly prices: PriceLookup | undefined;
  protected readonly scope: RouteScope;
  readonly #models: readonly LLM[];
  readonly #desk: RouteDesk;
  readonly #hooks: FailoverHooks;

  constructor(
    models: readonly LLM[],
    id: string,
    options: DecidingRouterOptions,
    policies: readonly RoutePolicy[] | undefined,
  ) {
    const { scope = noScope, prices, ids, clock, onFailure } = options;
    this.id = id;
    this.model = id;
    this.prices = prices;
    this.scope = scope;
    this.#models = models;
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

  async generate(prompt: Prompt, options: CallOptions = {}): Promise<RoutedGeneration<R>> {
    options.signal?.throwIfAborted();
    const decided = await this.#decide(prompt, options);
    const { decision, call } = decided;
    try {
      const generation = await inScope(this.scope, 'answer', () =>
        failoverGenerate(decision.plan, prompt, call.optionsFor('answer'), this.#hooks),
      );
      return this.#routed(generation, decided);
    } catch (error) {
      this.#failed(error, decided);
      throw error;
    }
  }

  stream(prompt: Prompt, options: CallOptions = {}): GenerationStream<RoutedGeneration<R>> {
    return createGenerationStream((context) => this.#events(context, prompt, options), {
      signal: options.signal,
    });
  }

  async *#events(
    context: StreamContext<RoutedGeneration<R>>,
    prompt: Prompt,
    callerOptions: CallOptions,
  ): AsyncGenerator<StreamEvent, RoutedGeneration<R>, undefined> {
    const { signal } = context;
    const decided = await this.#decide(prompt, { ...callerOptions, signal });
    const { decision, call } = decided;
    const cut = async (generation: Generation | Promise<Generation>): Promise<RoutedGeneration<R>> => {
      try {
        return this.#routed(await generation, decided);
      } catch (error) {
        this.#failed(error, decided);
        throw error;
      }
    };
    try {
      const { stream, end } = await openStream(this.scope, 'answer', () =>
        failoverStream(decision.plan, prompt, call.optionsFor('answer'), this.#hooks),
      );
      try {
        const partial = (generation: Generation | Promise<Generation>) => context.partial(cut(generation));
        return this.#routed(yield* passOn({ signal, partial }, stream), decided);
      } finally {
        end();
      }
    } catch (error) {
      this.#failed(error, decided);
      throw error;
    }
  }

  /** Who is to be asked for a call, as far as the router itself is concerned. What asking about it costs goes to `call`. */
  protected abstract choose(
    prompt: Prompt,
    options: CallOptions,
    call: RoutedCall,
  ): Choice<R> | Promise<Choice<R>>;

  /** Told of each decision, after the policies have spoken. */
  protected decided(_decision: Decision): void {}

  /** Told once how each decided call has ended. */
  protected ended(_decision: Decision, _costUsd: number | undefined): void {}

  async #decide(prompt: Prompt, options: CallOptions): Promise<DecidedCall<R>> {
    this.#desk.requireServable(prompt, options, this.#models);
    const call = new RoutedCall(this.prices, options);
    const { question, told } = await this.choose(prompt, options, call);
    const decision = this.#desk.decide({ prompt, options, ...question });
    this.decided(decision);
    return { call, decision, told };
  }

  #routed(generation: Generation, { call, decision, told }: DecidedCall<R>): RoutedGeneration<R> {
    call.note('answer', generation.attempts);
    const { attempts, costs, costUsd } = call.costs();
    if (decision.settle({ generation, costUsd, attempts })) this.ended(decision, costUsd);
    const { record } = decision;
    const { servedBy, failures } = generation;
    const base: RouteBase = {
      decision: record,
      planned: record.planned,
      servedBy,
      failures,
      costs,
      costUsd,
    };
    // `told` is what a route has beside that.
    return { ...generation, attempts, route: { ...told, ...base } as unknown as R };
  }

  #failed(error: unknown, { call, decision }: DecidedCall<R>): void {
    const { attempts, costUsd } = call.costs();
    // A stream that fails says so twice: to its reader, and to whoever waits for what came until then.
    if (decision.settle({ error, costUsd, attempts })) this.ended(decision, costUsd);
  }
}
