import {
  type CallOptions,
  estimatePromptTokens,
  type Generation,
  type Prompt,
  type StreamEvent,
  type TokenCounter,
} from '@synapsekit/core';
import type { BudgetEngine } from './budget-engine.ts';
import type { GuardedCall } from './guarded-call.ts';

/** Counts what a stream has cost so far, to tell when it has used up what was held for it. */
export class StreamMeter {
  readonly #call: GuardedCall;
  readonly #inputTokens: number;
  readonly #counter: TokenCounter | undefined;
  #tokens = 0;
  #bytes = 0;

  private constructor(call: GuardedCall, inputTokens: number, counter: TokenCounter | undefined) {
    this.#call = call;
    this.#inputTokens = inputTokens;
    this.#counter = counter;
  }

  /** A meter for a stream, where the guard cuts streams. Counts exactly where the model's tokenizer is known. */
  static async of(
    engine: BudgetEngine,
    call: GuardedCall,
    prompt: Prompt,
    options: CallOptions,
  ): Promise<StreamMeter | undefined> {
    const { cutStreams, tokenCounter } = engine.settings;
    if (!cutStreams) return undefined;
    const counter = await tokenCounter(call.llm);
    const inputTokens = counter?.countPrompt(prompt, options) ?? estimatePromptTokens(prompt, options);
    return new StreamMeter(call, inputTokens, counter);
  }

  /** True when with this piece the hold is used up. */
  isFull(event: StreamEvent): boolean {
    const text = textOf(event);
    if (text === '') return false;
    if (this.#counter === undefined) this.#bytes += Buffer.byteLength(text);
    else this.#tokens += this.#counter.countText(text);
    // Four bytes a token, as everywhere where nothing better is at hand.
    return this.#call.isUsedUp(this.#inputTokens, this.#tokens + Math.ceil(this.#bytes / 4));
  }
}

function textOf(event: StreamEvent): string {
  if (event.type === 'text' || event.type === 'reasoning') return event.text;
  if (event.type === 'tool-call-delta') return event.argumentsDelta;
  return '';
}

/** An answer that was ended by the budget. */
export function cutGeneration(generation: Generation): Generation {
  const { rawFinishReason: _, ...rest } = generation;
  return { ...rest, finishReason: 'budget_cut' };
}
