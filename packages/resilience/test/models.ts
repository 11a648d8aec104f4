import {
  type CallOptions,
  createGenerationStream,
  defineLLM,
  type GenerationStream,
  type LLM,
  type LLMDefinition,
  ProviderError,
  type ProviderErrorFacts,
} from '@synapsekit/core';

/** A model that answers "answer", in two pieces where it streams. */
export function model(definition: Partial<LLMDefinition> = {}): LLM {
  return defineLLM({
    provider: 'test',
    model: 'model',
    generate: () => 'answer',
    async *stream() {
      yield 'ans';
      yield 'wer';
      return undefined;
    },
    ...definition,
  });
}

/** A model whose n-th call does the n-th of these: throws an error, or answers a text. The last one repeats. */
export function script(...steps: readonly (Error | string)[]): LLM & { readonly calls: () => number } {
  let calls = 0;
  const next = (): string => {
    const step = steps[Math.min(calls, steps.length - 1)] ?? 'answer';
    calls++;
    if (step instanceof Error) throw step;
    return step;
  };
  const llm = model({
    generate: next,
    async *stream() {
      const text = next();
      for (const letter of text) yield letter;
      return undefined;
    },
  });
  return { ...llm, calls: () => calls };
}

export function providerError(
  kind: ProviderErrorFacts['kind'],
  facts: Partial<ProviderErrorFacts> = {},
): ProviderError {
  return new ProviderError(`The provider says: ${kind}.`, {
    kind,
    provider: 'test',
    model: 'model',
    ...facts,
  });
}

/** A model that streams so many words and then, when it is aborted, ends as if nothing were amiss: as SDKs do. */
export function endsNormally(words: number): LLM {
  const inner = model();
  const stream: LLM['stream'] = (prompt, options) =>
    createGenerationStream(
      async function* (context) {
        for (let word = 0; word < words; word++) yield { type: 'text', text: `${word} ` };
        await hang(context.signal).catch(() => {});
        return inner.generate(prompt);
      },
      { signal: options?.signal },
    );
  return { ...inner, stream };
}

/** Never settles, except by an abort. */
export function hang(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** The text of a stream, and the error that it ended with. */
export async function read(stream: GenerationStream): Promise<{ text: string; error?: unknown }> {
  let text = '';
  try {
    for await (const event of stream) if (event.type === 'text') text += event.text;
  } catch (error) {
    return { text, error };
  }
  return { text };
}

/** Takes so many events of a stream and leaves. */
export async function take(stream: GenerationStream, count: number): Promise<number> {
  let taken = 0;
  for await (const _ of stream) {
    taken++;
    if (taken === count) break;
  }
  return taken;
}

/** All attempts that a call reports. */
export function attemptsOf(options: CallOptions = {}): {
  readonly options: CallOptions;
  readonly outcomes: string[];
} {
  const outcomes: string[] = [];
  return { outcomes, options: { ...options, onAttempt: ({ outcome }) => outcomes.push(outcome) } };
}
