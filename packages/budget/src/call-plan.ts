import {
  type CallOptions,
  estimatePromptTokens,
  type LLM,
  maxPromptTokens,
  type Price,
  type Prompt,
  type TokenCounter,
} from '@synapsekit/core';
import type { Left } from './hold-admission.ts';
import { maxTokensSetByGuard } from './set-max-tokens.ts';
import { greater, inUnit, nothing, type Spend } from './spend.ts';

/** What a budget has to know about a model that may serve a call. */
export interface PlannedModel {
  readonly llm: Pick<LLM, 'provider' | 'model' | 'id' | 'defaults' | 'capabilities'>;
  /** Not needed where no limit counts money. */
  readonly price: Price | undefined;
}

/** How a guard treats the length of answers. */
export interface OutputPolicy {
  /** May a `maxTokens` that was given be lowered? */
  readonly clamp: boolean;
  /** Never lowered below this. */
  readonly minOutputTokens: number;
  /** What a call without any `maxTokens` gets at most. */
  readonly defaultMaxOutputTokens: number;
  /** Does a limit count tokens? Then an answer has to be bounded also where it is free. */
  readonly countsTokens: boolean;
}

/** A model with the longest answer that it may give to this call as it stands. */
interface Leaf extends PlannedModel {
  readonly outputTokens: number;
  /** The longest answer that the model can give at all, where that is known. */
  readonly longest: number | undefined;
}

/** The models that may serve a call to `llm`: itself, or those that it chooses from, all the way down. */
export function leavesOf(llm: LLM): readonly LLM[] {
  if (llm.candidates === undefined) return [llm];
  const leaves = new Map<string, LLM>();
  const walk = (node: LLM, path: readonly LLM[]): void => {
    const candidates = path.includes(node) ? [] : (node.candidates?.() ?? []);
    if (candidates.length === 0) {
      const limit = node.defaults?.maxTokens ?? '';
      leaves.set(`${node.provider}\n${node.model}\n${limit}`, node);
    }
    for (const candidate of candidates) walk(candidate, [...path, node]);
  };
  walk(llm, []);
  return [...leaves.values()];
}

/** What a call may cost at most, and how far its `maxTokens` may be lowered. */
export class CallPlan {
  /** An upper bound of the prompt, or its exact length. */
  readonly inputTokens: number;
  /** What to ask for first; `undefined`: leave the call as it is. */
  readonly maxTokens: number | undefined;
  readonly #leaves: readonly Leaf[];
  /** Where `maxTokens` may be set or lowered: between these. */
  readonly #range: { readonly lowest: number; readonly highest: number } | undefined;
  #lastCost:
    | { readonly leaf: Leaf; readonly maxTokens: number | undefined; readonly spend: Spend }
    | undefined;

  private constructor(
    inputTokens: number,
    leaves: readonly Leaf[],
    maxTokens: number | undefined,
    range: { readonly lowest: number; readonly highest: number } | undefined,
  ) {
    this.inputTokens = inputTokens;
    this.#leaves = leaves;
    this.maxTokens = maxTokens;
    this.#range = range;
  }

  static of(
    models: readonly PlannedModel[],
    prompt: Prompt,
    options: CallOptions,
    policy: OutputPolicy,
  ): CallPlan {
    const modelsSay = models.some(({ llm }) => llm.defaults?.maxTokens !== undefined);
    // A guard further out set it because nobody had: this one may lower it, too.
    const ceiling = modelsSay ? undefined : maxTokensSetByGuard(options);
    const { defaultMaxOutputTokens } = policy;
    return CallPlan.ofTokens(
      models,
      maxPromptTokens(prompt, options),
      ceiling === undefined ? options.maxTokens : undefined,
      ceiling === undefined || ceiling >= defaultMaxOutputTokens
        ? policy
        : { ...policy, defaultMaxOutputTokens: ceiling },
      () => estimatePromptTokens(prompt, options),
    );
  }

  /**
   * @param given `maxTokens` of the call.
   * @param likelyInputTokens a guess of the prompt, for what fits a context window.
   */
  static ofTokens(
    models: readonly PlannedModel[],
    inputTokens: number,
    given: number | undefined,
    policy: OutputPolicy,
    likelyInputTokens: () => number = () => inputTokens,
  ): CallPlan {
    const { clamp, minOutputTokens } = policy;
    const limits = models.map(({ llm }) => given ?? llm.defaults?.maxTokens);
    const known = limits.filter((limit) => limit !== undefined);
    // Asked only where it matters: it takes a price.
    const isFree = (): boolean =>
      !policy.countsTokens &&
      models.every(
        ({ price }) => (price?.maxCostPico({ inputTokens, outputTokens: 1_000_000 }) ?? 0n) === 0n,
      );
    if (known.length === 0 && !isFree()) {
      const highest = defaultMaxTokens(models, inputTokens, policy, likelyInputTokens);
      const leaves = models.map((model) => ({
        ...model,
        outputTokens: highest,
        longest: longestAnswer(model),
      }));
      return new CallPlan(inputTokens, leaves, highest, {
        lowest: Math.min(minOutputTokens, highest),
        highest,
      });
    }
    const leaves = models.map((model, index) => ({
      ...model,
      outputTokens: limits[index] ?? longestAnswer(model) ?? policy.defaultMaxOutputTokens,
      longest: longestAnswer(model),
    }));
    // One number goes to all of them, so it must not raise the lowest of their own.
    const highest = Math.min(...known);
    const range = clamp && !isFree() ? { lowest: Math.min(minOutputTokens, highest), highest } : undefined;
    return new CallPlan(inputTokens, leaves, undefined, range);
  }

  /** The same call with another length of its prompt. */
  withInput(inputTokens: number): CallPlan {
    return new CallPlan(inputTokens, this.#leaves, this.maxTokens, this.#range);
  }

  /** The worst case: the dearest model, its longest answer. */
  cost(maxTokens: number | undefined): Spend {
    let most: Spend | undefined;
    for (const leaf of this.#leaves) {
      const spend = this.#costOf(leaf, maxTokens);
      most = most === undefined ? spend : greater(most, spend);
    }
    return most ?? nothing;
  }

  /** The worst case of one attempt at one of the models; `undefined` when it is none of them. */
  costAt(model: Pick<LLM, 'provider' | 'model'>, maxTokens: number | undefined): Spend | undefined {
    let most: Spend | undefined;
    for (const leaf of this.#leaves) {
      if (leaf.llm.provider !== model.provider || leaf.llm.model !== model.model) continue;
      const spend = this.#costOf(leaf, maxTokens);
      most = most === undefined ? spend : greater(most, spend);
    }
    return most;
  }

  priceOf(model: Pick<LLM, 'provider' | 'model'>): Price | undefined {
    return this.#leaves.find(({ llm }) => llm.provider === model.provider && llm.model === model.model)
      ?.price;
  }

  /** The least that this call needs. */
  get leastCost(): Spend {
    return this.cost(this.#range?.lowest ?? this.maxTokens);
  }

  /** False when not even a call without a prompt would fit: then there is no use in counting it. */
  couldFit({ unit, amount }: Left): boolean {
    return inUnit(this.withInput(0).leastCost, unit) <= amount;
  }

  /** The longest answer that fits what is left, if `maxTokens` may be lowered and that helps. */
  fitting({ unit, amount }: Left, maxTokens: number | undefined): number | undefined {
    if (this.#range === undefined) return undefined;
    let { lowest, highest } = this.#range;
    if (maxTokens !== undefined) highest = Math.min(highest, maxTokens - 1);
    if (highest < lowest || inUnit(this.cost(lowest), unit) > amount) return undefined;
    while (lowest < highest) {
      const middle = Math.ceil((lowest + highest) / 2);
      if (inUnit(this.cost(middle), unit) <= amount) lowest = middle;
      else highest = middle - 1;
    }
    return lowest;
  }

  #costOf(leaf: Leaf, maxTokens: number | undefined): Spend {
    // A call asks for the same twice: for its hold, and for its attempt.
    const last = this.#lastCost;
    if (last !== undefined && last.leaf === leaf && last.maxTokens === maxTokens) return last.spend;
    const { inputTokens } = this;
    const asked = maxTokens ?? leaf.outputTokens;
    const most = Math.min(asked, leaf.longest ?? asked);
    const spend = {
      pico: leaf.price?.maxCostPico({ inputTokens, outputTokens: most }) ?? 0n,
      tokens: BigInt(inputTokens + most),
    };
    this.#lastCost = { leaf, maxTokens, spend };
    return spend;
  }
}

/** Counts the prompt exactly, if the tokenizer of every model is known. */
export async function exactInputTokens(
  models: readonly PlannedModel[],
  prompt: Prompt,
  options: CallOptions,
  counterOf: (llm: PlannedModel['llm']) => TokenCounter | undefined | Promise<TokenCounter | undefined>,
): Promise<number | undefined> {
  let most = 0;
  for (const { llm } of models) {
    const counter = await counterOf(llm);
    if (counter === undefined) return undefined;
    most = Math.max(most, counter.countPrompt(prompt, options));
  }
  return most;
}

function longestAnswer({ llm, price }: PlannedModel): number | undefined {
  return price?.maxOutputTokens ?? llm.capabilities?.maxOutputTokens;
}

/** What to ask for where nobody said anything: no more than any of the models takes. */
function defaultMaxTokens(
  models: readonly PlannedModel[],
  inputTokens: number,
  { defaultMaxOutputTokens, minOutputTokens }: OutputPolicy,
  likelyInputTokens: () => number,
): number {
  let most = defaultMaxOutputTokens;
  for (const model of models) {
    most = Math.min(most, longestAnswer(model) ?? most);
    const contextWindow = model.price?.contextWindow ?? model.llm.capabilities?.contextWindow;
    if (contextWindow === undefined || inputTokens + most <= contextWindow) continue;
    // Providers refuse a maxTokens that does not fit beside the prompt. The bound says too much; a guess has to do.
    most = Math.min(most, Math.max(minOutputTokens, contextWindow - Math.ceil(likelyInputTokens() * 1.25)));
  }
  return Math.max(1, most);
}
