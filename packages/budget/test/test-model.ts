import { type CallOptions, defineLLM, type LLM, type PicoUsd } from '@synapsekit/core';
import { sequentialIds } from '@synapsekit/testing';
import { prices } from './flat-prices.ts';

/** A provider that bills what it says. */
export class TestProvider {
  billPico: PicoUsd = 0n;
  /** The options of every attempt that arrived. */
  readonly arrived: CallOptions[] = [];
  readonly #ids = sequentialIds('attempt');

  /** @param answer the tokens of the answer to the n-th call (from 1), or what it throws. */
  model(
    provider: string,
    model: string,
    answer: (call: number, options: CallOptions) => number | Promise<number> = (_, { maxTokens }) =>
      maxTokens ?? 100,
    defaults?: { readonly maxTokens: number },
  ): LLM {
    const llm = defineLLM({
      provider,
      model,
      ids: this.#ids,
      generate: async (_, options) => {
        this.arrived.push(options);
        await new Promise((resolve) => setImmediate(resolve));
        const outputTokens = await answer(this.arrived.length, {
          ...options,
          maxTokens: options.maxTokens ?? defaults?.maxTokens,
        });
        const usage = { inputTokens: 2, outputTokens };
        this.billPico += prices.find({ provider, model })?.costPico(usage) ?? 0n;
        return { text: 'word', usage };
      },
    });
    return defaults === undefined ? llm : { ...llm, defaults };
  }
}
