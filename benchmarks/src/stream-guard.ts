import { createGenerationStream, type Generation, type LLM, type StreamEvent, wrap } from '@synapsekit/core';
import { breakOn, CircuitBreaker, timeout } from '@synapsekit/resilience';
import type { Bench } from './harness/bench.ts';

const chunks = 500;
const event: StreamEvent = { type: 'text', text: 'word ' };
const generation: Generation = { text: '', toolCalls: [], finishReason: 'stop', failures: [] } as never;

async function* source(): AsyncGenerator<StreamEvent, Generation, undefined> {
  for (let i = 0; i < chunks; i++) yield event;
  return generation;
}

/** A model whose chunks are there at once: all that is left is what streams themselves cost. */
const model: LLM = {
  provider: 'bench',
  model: 'noop',
  id: 'bench/noop',
  generate: async () => generation,
  stream: (_prompt, options) => createGenerationStream(source, { signal: options?.signal }),
};

export const bench: Bench = {
  title: 'Guards of a stream, per chunk',
  async run({ compare }) {
    const readAll = async (stream: AsyncIterable<StreamEvent>): Promise<void> => {
      let count = 0;
      for await (const _ of stream) count++;
      if (count !== chunks) throw new Error(`${count} chunks`);
    };
    const read = (llm: LLM) => (): Promise<void> => readAll(llm.stream('hello'));
    const guard = breakOn(new CircuitBreaker({ name: 'bench' }));
    const limits = timeout({ firstTokenMs: 10_000, idleMs: 15_000 });
    return [
      await compare({
        title: `A stream of ${chunks} chunks that are there at once`,
        note: 'A chunk of a real model takes milliseconds to come; this is what is left without that.',
        mode: 'async',
        contenders: [
          { name: 'async generator', op: () => readAll(source()), units: chunks },
          { name: 'unguarded model', op: read(model), units: chunks },
          { name: 'breakOn', op: read(wrap(model, guard)), units: chunks },
          { name: 'timeout, first token and idle', op: read(wrap(model, limits)), units: chunks },
          { name: 'breakOn and timeout', op: read(wrap(model, guard, limits)), units: chunks },
        ],
        targets: [
          {
            text: 'breaker, against an async generator',
            ratio: ['breakOn', 'async generator'],
            limit: 1.5,
            revised: 2.5,
            note: 'The target comes from a guard written as a bare iterator. Every stream of a model here is also lazy, keeps its async context, ends at once when it is aborted and has a `.result`: the unguarded row, one promise and one change of context more. A guard passes the events of such a stream on and shares that promise.',
          },
          {
            text: 'breaker, against the unguarded model',
            ratio: ['breakOn', 'unguarded model'],
            limit: 1.5,
            binding: false,
          },
          {
            text: 'time limits, against the unguarded model',
            ratio: ['timeout, first token and idle', 'unguarded model'],
            limit: 1.5,
            binding: false,
          },
        ],
      }),
    ];
  },
};
