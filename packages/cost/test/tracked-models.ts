import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type Attempt,
  type CallOptions,
  createGenerationStream,
  defineLLM,
  type Generation,
  type GenerationStream,
  type LLM,
  ProviderError,
  wrap,
} from '@synapsekit/core';
import { CostTracker, type CostTrackerOptions } from '../src/cost-tracker.ts';
import { type TrackCostOptions, trackCost } from '../src/track-cost.ts';
import { flatPrices } from './flat-prices.ts';

export const usage = { inputTokens: 1_000, outputTokens: 100 };

export function silentTracker(options: CostTrackerOptions = {}): CostTracker {
  return new CostTracker({ prices: flatPrices(), onWarning() {}, ...options });
}

/** A model that answers after a turn of the event loop, in three pieces where it streams. */
export function answering(model = 'gpt-4o', provider = 'openai'): LLM {
  return defineLLM({
    provider,
    model,
    async generate(_prompt, { signal }) {
      await nextTurn(undefined, { signal });
      return { text: 'one two three', usage };
    },
    async *stream(_prompt, { signal }) {
      for (const piece of ['one ', 'two ', 'three']) {
        await nextTurn(undefined, { signal });
        yield piece;
      }
      return { usage };
    },
  });
}

/** A model that answers nothing until it is aborted. */
export function hanging(): LLM {
  return defineLLM({
    provider: 'openai',
    model: 'gpt-4o',
    generate: (_prompt, { signal }) =>
      new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
  });
}

export function failing(model: string, provider: string): LLM {
  return defineLLM({
    provider,
    model,
    generate() {
      throw new ProviderError('It is down. Try later.', { kind: 'server', provider, model });
    },
  });
}

export function tracked(llm: LLM, tracker: CostTracker, options?: TrackCostOptions): LLM {
  return wrap(llm, trackCost(tracker, options));
}

export async function readAll(stream: GenerationStream): Promise<string> {
  let text = '';
  for await (const piece of stream.textStream) text += piece;
  return text;
}

/** An attempt of gpt-4o. */
export function attempt(attemptId: string, facts: Partial<Attempt>): Attempt {
  const { provider = 'openai', model = 'gpt-4o' } = facts;
  const id = provider === 'openai' ? model : `${provider}/${model}`;
  return { attemptId, provider, model, id, outcome: 'served', latencyMs: 1, ...facts };
}

function generationOf(facts: Partial<Generation>): Generation {
  return {
    text: 'x',
    toolCalls: [],
    finishReason: 'stop',
    usage,
    attempts: [],
    provider: 'openai',
    model: 'gpt-4o',
    servedBy: 'gpt-4o',
    servedModel: 'gpt-4o',
    latencyMs: 1,
    failures: [],
    ...facts,
  };
}

/** A model that says nothing of its attempts. */
export function handwritten(facts: Partial<Generation>): LLM {
  return {
    provider: 'openai',
    model: 'gpt-4o',
    id: 'gpt-4o',
    generate: async () => generationOf(facts),
    stream: (_prompt, options = {}) =>
      createGenerationStream(async function* (context) {
        context.partial(generationOf({ ...facts, finishReason: 'aborted' }));
        yield { type: 'text', text: 'x' };
        yield { type: 'text', text: 'y' };
        return generationOf(facts);
      }, options),
  };
}

/** A model that makes several attempts in one call, and reports each. */
export function answeringAttempts(
  ends: readonly Partial<Attempt>[],
  before: () => Promise<void> = async () => {},
): LLM {
  let made = 0;
  return {
    ...handwritten({}),
    async generate(_prompt, { onAttempt }: CallOptions = {}) {
      const attempts = ends.map((facts) => attempt(`made ${made++}`, facts));
      for (const each of attempts) onAttempt?.(each);
      await before();
      return generationOf({ attempts: attempts.filter(({ usage }) => usage !== undefined) });
    },
  };
}
