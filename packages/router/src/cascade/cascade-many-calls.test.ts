import { type Attempt, defineLLM, type LLM } from '@synapsekit/core';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { failing, model, outage, prices, usage } from '../../test/cascade-world.ts';
import { passes } from '../verify/passes.ts';
import { type CascadeGeneration, CascadeRouter } from './cascade-router.ts';

test('property: whatever passes, breaks and fails, every attempt is told once and the route says who served', async () => {
  const behaviour = fc.constantFrom('good', 'bad', 'doubtful', 'down');
  await fc.assert(
    fc.asyncProperty(
      fc.array(behaviour, { minLength: 2, maxLength: 4 }),
      fc.boolean(),
      async (kinds, streamed) => {
        const tiers = kinds.map((kind, i) =>
          kind === 'down' ? failing(`m${i}`, outage) : model(`m${i}`, `${kind}`),
        );
        const verify = [
          passes(({ text }) => text !== 'bad'),
          passes(({ text }) => text !== 'doubtful', { failure: 'doubtful' }),
        ];
        const told: string[] = [];
        const settled = vi.fn();
        const policies = [{ name: 'count', settle: settled }];
        const router = new CascadeRouter({ tiers, verify, prices, policies });
        const options = {
          onAttempt: (attempt: Attempt) => void (attempt.usage && told.push(attempt.attemptId)),
        };
        const call = streamed ? router.stream('q', options).result : router.generate('q', options);
        const result = await call.catch((error: unknown) => error as Error);

        // The model: the first good one, or the last if it answers; else the best doubtful one; else an error.
        const last = kinds.length - 1;
        const first = kinds.findIndex((kind, i) => kind === 'good' || (i === last && kind !== 'down'));
        const doubtful = kinds.lastIndexOf('doubtful');
        const served = first !== -1 ? first : doubtful;
        expect(new Set(told).size).toBe(told.length);
        expect(settled).toHaveBeenCalledTimes(1);
        if (served === -1) {
          expect(result).toBeInstanceOf(Error);
          return;
        }
        const { route, attempts } = result as CascadeGeneration;
        expect(route.servedBy).toBe(`test/m${served}`);
        expect(route.tier).toBe(served);
        expect(attempts.map(({ attemptId }) => attemptId).toSorted()).toEqual(told.toSorted());
        expect(attempts.at(-1)?.id).toBe(route.servedBy);
        expect(route.costs).toHaveLength(told.length);
      },
    ),
    { numRuns: 200 },
  );
});

test('1,000 calls at once do not get into each other', async () => {
  const echo = (name: string): LLM =>
    defineLLM({
      provider: 'test',
      model: name,
      generate: async (prompt) => {
        await new Promise((resolve) => setImmediate(resolve));
        return { text: `${name} ${String(prompt)}`, usage };
      },
    });
  const router = new CascadeRouter({
    tiers: [echo('cheap'), echo('strong')],
    verify: [passes(({ text }) => Number(text.split(' ')[1]) % 3 !== 0)],
    prices,
  });
  const answers = await Promise.all(Array.from({ length: 1_000 }, (_, i) => router.generate(String(i))));
  for (const [i, { text, route }] of answers.entries()) {
    expect(text).toBe(`${i % 3 === 0 ? 'strong' : 'cheap'} ${i}`);
    expect(route.costs).toHaveLength(i % 3 === 0 ? 2 : 1);
  }
  expect(new Set(answers.map(({ route }) => route.decision.id)).size).toBe(1_000);
});
