import {
  type Availability,
  anyAvailable,
  type CallOptions,
  createGenerationStream,
  type FailoverHooks,
  failoverGenerate,
  failoverStream,
  type Generation,
  type GenerationStream,
  type LLM,
  type PriceLookup,
  type Prompt,
  passOn,
  type StreamContext,
  type StreamEvent,
} from '@synapsekit/core';
import { expectedCostUsd } from '../policy/expected-cost.ts';
import { RouteDesk } from '../policy/route-desk.ts';
import type { RouteCandidate } from '../policy/route-policy.ts';
import { inScope, noScope, openStream } from '../route-scope.ts';
import type { RoutedGeneration } from '../routed.ts';
import { RoutedCall } from '../routed-call.ts';
import { CascadeCall, type CascadeRules, type HeldAnswer } from './cascade-call.ts';
import { type CascadeGain, type CascadeRouterOptions, checkCascadeOptions } from './cascade-options.ts';
import type { CascadeRoute } from './cascade-route.ts';
import { type Buffer, heldBack } from './held-back.ts';

/** An answer of a cascade. */
export type CascadeGeneration = RoutedGeneration<CascadeRoute>;

/**
 * Asks the cheap model, looks at its answer, and asks a stronger one only where that pays. Looking costs nothing, or
 * next to nothing: a schema, the finish reason, a test of yours, a second cheap model, a small trained model. Where
 * answers can be checked this beats every router that reads the prompt alone.
 *
 * ```ts
 * const router = new CascadeRouter({
 *   tiers: [cheap, strong],
 *   verify: [finished(), notRefused(), agreesWith(otherCheap, { by: numberAnswer })],
 * });
 * ```
 *
 * All attempts of all tiers and verifiers are reported and budgeted as the caller's own. A stream cannot hand out what
 * has not been looked at: the cheap answer is held back until it has passed, and then comes at once; the answer of the
 * last tier streams as it comes. A cascade is an `LLM`: wrap it, chain it, nest it.
 *
 * @throws ConfigError for an option that is missing, unknown or out of range. Calls throw NoCandidateError when no model
 *   can serve the request, the error of the last tier when nothing of use came of any, `signal.reason` on abort.
 */
export class CascadeRouter implements LLM {
  readonly provider = 'router';
  readonly model: string;
  readonly id: string;
  readonly #tiers: readonly (readonly LLM[])[];
  readonly #gain: Required<CascadeGain> | undefined;
  readonly #rules: CascadeRules;
  readonly #prices: PriceLookup | undefined;
  readonly #desk: RouteDesk;
  readonly #hooks: FailoverHooks;

  constructor(options: CascadeRouterOptions) {
    const { tiers, verify, gain } = checkCascadeOptions(options);
    const { whenUnreachable = 'answer', scope = noScope, prices, policies, onFailure } = options;
    const { id = 'cascade', ids, clock } = options;
    this.id = id;
    this.model = id;
    this.#tiers = tiers;
    this.#gain = gain;
    this.#rules = {
      verify,
      minGain: gain?.minGain,
      keepDoubtful: whenUnreachable === 'answer',
      scope,
    };
    this.#prices = prices;
    this.#desk = new RouteDesk({ router: id, policies, ids, clock });
    this.#hooks = { onFailure };
  }

  /** The models that may be asked: those of all tiers, and those that verifiers ask. */
  candidates(): readonly LLM[] {
    return [...new Set([...this.#tiers.flat(), ...this.#rules.verify.flatMap(({ models = [] }) => models)])];
  }

  /** Available as long as any model of any tier is. */
  availability(): Availability {
    return anyAvailable(this.#tiers.flat());
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

  async generate(prompt: Prompt, options: CallOptions = {}): Promise<CascadeGeneration> {
    options.signal?.throwIfAborted();
    const call = this.#begin(prompt, options);
    try {
      for (;;) {
        const held = await this.#try(call, prompt);
        if (held !== undefined) return call.routed(held);
      }
    } catch (error) {
      call.ended(error);
      throw error;
    }
  }

  stream(prompt: Prompt, options: CallOptions = {}): GenerationStream<CascadeGeneration> {
    return createGenerationStream((context) => this.#events(context, prompt, options), {
      signal: options.signal,
    });
  }

  /** Asks one tier. The answer to hand out, or `undefined` when the next one is to be asked. */
  async #try(call: CascadeCall, prompt: Prompt): Promise<HeldAnswer | undefined> {
    let generation: Generation;
    try {
      generation = await inScope(this.#rules.scope, call.step, () =>
        failoverGenerate(call.rung.models, prompt, call.callOptions, this.#hooks),
      );
    } catch (error) {
      return call.failed(error);
    }
    return call.answered(generation);
  }

  async *#events(
    context: StreamContext<CascadeGeneration>,
    prompt: Prompt,
    options: CallOptions,
  ): AsyncGenerator<StreamEvent, CascadeGeneration, undefined> {
    const { signal } = context;
    const call = this.#begin(prompt, { ...options, signal });
    const kept = new Map<Generation, readonly StreamEvent[]>();
    try {
      for (;;) {
        if (!call.looks) {
          const served = yield* this.#live(context, call, prompt, kept);
          if (served !== undefined) return served;
          continue;
        }
        const held = await this.#tryHeldBack(call, prompt, kept);
        if (held !== undefined) return yield* replay(context, call, held, kept);
      }
    } catch (error) {
      call.ended(error);
      throw error;
    }
  }

  /** Streams the answer of a tier that nobody looks at. `undefined` when it failed before it said anything. */
  async *#live(
    context: StreamContext<CascadeGeneration>,
    call: CascadeCall,
    prompt: Prompt,
    kept: ReadonlyMap<Generation, readonly StreamEvent[]>,
  ): AsyncGenerator<StreamEvent, CascadeGeneration | undefined, undefined> {
    const { rung } = call;
    let emitted = false;
    let generation: Generation;
    const { stream, end } = await openStream(this.#rules.scope, call.step, () =>
      failoverStream(rung.models, prompt, call.callOptions, this.#hooks),
    );
    const cut = async (partial: Generation | Promise<Generation>): Promise<CascadeGeneration> => {
      const whole = await partial;
      await call.answered(whole);
      return call.routed({ rung, generation: whole, result: 'good' });
    };
    try {
      generation = yield* passOn(
        { signal: context.signal, partial: (partial) => context.partial(cut(partial)) },
        stream,
        {
          came: () => {
            emitted = true;
            return false;
          },
        },
      );
    } catch (error) {
      if (emitted) throw error;
      const held = call.failed(error);
      return held === undefined ? undefined : yield* replay(context, call, held, kept);
    } finally {
      end();
    }
    const held = (await call.answered(generation)) ?? { rung, generation, result: 'good' };
    return call.routed(held);
  }

  /** Streams the answer of a tier into a buffer and looks at it. */
  async #tryHeldBack(
    call: CascadeCall,
    prompt: Prompt,
    kept: Map<Generation, readonly StreamEvent[]>,
  ): Promise<HeldAnswer | undefined> {
    const buffer: Buffer = { events: [] };
    const models = call.rung.models.map((llm) => heldBack(llm, buffer));
    let generation: Generation;
    try {
      generation = await inScope(this.#rules.scope, call.step, () =>
        failoverGenerate(models, prompt, call.callOptions, this.#hooks),
      );
    } catch (error) {
      return call.failed(error);
    }
    kept.set(generation, buffer.events);
    return call.answered(generation);
  }

  #begin(prompt: Prompt, options: CallOptions): CascadeCall {
    const predictedGain = this.#gain?.model.gain(prompt);
    const decision = this.#desk.decide({
      prompt,
      options,
      candidates: this.#candidates(prompt, options, predictedGain),
    });
    const call = new RoutedCall(this.#prices, options);
    return new CascadeCall({ call, rules: this.#rules, decision, prompt, options, predictedGain });
  }

  /** All models from the cheapest tier up; without the lower tiers first where trying them is hopeless. */
  #candidates(
    prompt: Prompt,
    options: CallOptions,
    predictedGain: number | undefined,
  ): readonly RouteCandidate[] {
    const candidates = this.#tiers.flatMap((models, tier) =>
      models.map((llm) => ({ llm, tier, costUsd: expectedCostUsd(llm, prompt, options, this.#prices) })),
    );
    const directFrom = this.#gain?.directFrom;
    if (directFrom === undefined || predictedGain === undefined || predictedGain < directFrom)
      return candidates;
    return candidates.toSorted((a, b) => b.tier - a.tier);
  }
}

/** Hands out an answer that was held back. */
async function* replay(
  context: StreamContext<CascadeGeneration>,
  call: CascadeCall,
  held: HeldAnswer,
  kept: ReadonlyMap<Generation, readonly StreamEvent[]>,
): AsyncGenerator<StreamEvent, CascadeGeneration, undefined> {
  const routed = call.routed(held);
  let text = '';
  let ended = false;
  try {
    for (const event of kept.get(held.generation) ?? []) {
      if (event.type === 'text') text += event.text;
      yield event;
    }
    ended = true;
    return routed;
  } finally {
    // The consumer left: he has what came until then.
    if (!ended) context.partial({ ...routed, text, finishReason: 'aborted' });
  }
}
