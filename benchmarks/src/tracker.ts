import { calcPrice } from '@pydantic/genai-prices';
import { CostTracker } from '@synapsekit/cost';
import type { Bench } from './harness/bench.ts';
import { keptBytes } from './harness/heap.ts';

/** The same model for both, by name alone and with its provider. */
const models = [
  { provider: 'openai', model: 'gpt-4o' },
  { provider: 'openai', model: 'gpt-4o-mini' },
  { provider: 'groq', model: 'llama-3.1-8b-instant' },
  { provider: 'groq', model: 'openai/gpt-oss-20b' },
] as const;

/** Why the ratio differs so much between providers. */
const listLength =
  'calcPrice goes through the list of the provider’s models until one fits; a record looks its model up once. So the ' +
  'ratio depends on how long that list is and where the model stands in it: short at Groq, long at OpenAI. A record ' +
  'also mints an id, keeps a frozen copy of the usage, remembers the attempt and adds to the totals of every scope.';

/** Nested, outermost first. */
const depth = ['tenant:1', 'feature:search', 'step:answer', 'request:1'] as const;

export const bench: Bench = {
  title: 'Cost tracker',
  async run({ compare, gauge, pace }) {
    const groups = [];
    for (const { provider, model } of models) {
      const tracker = new CostTracker({ onWarning: () => {} });
      const id = provider === 'openai' ? model : `${provider}/${model}`;
      const inScopes = <T>(fn: () => T): T => {
        const [a, b, c, d] = depth;
        return tracker.scope(a, () => tracker.scope(b, () => tracker.scope(c, () => tracker.scope(d, fn))));
      };
      const usage = { input_tokens: 900, output_tokens: 100, cache_read_tokens: 128 };
      const counts = { inputTokens: 900, outputTokens: 100, cachedInputTokens: 128 };
      const theirs = calcPrice(usage, model, { providerId: provider })?.total_price ?? Number.NaN;
      const own = tracker.record(id, counts);
      if (own.unpriced || Math.abs(own.costUsd - theirs) > 1e-12) {
        throw new Error(`${id}: we say ${own.costUsd}, genai-prices says ${theirs}`);
      }
      groups.push(
        await compare(
          {
            title: `${id}: recording a call, at scope depth 4`,
            mode: 'sync',
            contenders: [
              {
                name: 'calcPrice of genai-prices, provider given',
                op: () => calcPrice(usage, model, { providerId: provider }),
              },
              { name: 'calcPrice of genai-prices, by model name', op: () => calcPrice(usage, model) },
              {
                name: 'tracker.record, provider given',
                op: () => tracker.record({ provider, model, id }, counts),
                around: inScopes,
              },
              { name: 'tracker.record, by id', op: () => tracker.record(id, counts), around: inScopes },
            ],
            targets: [
              {
                text: `record ${id}, provider given, against calcPrice`,
                ratio: ['tracker.record, provider given', 'calcPrice of genai-prices, provider given'],
                limit: 0.2,
                revised: provider === 'groq' ? 0.6 : 0.3,
                note: listLength,
              },
              {
                text: `record ${id}, by id, against calcPrice`,
                ratio: ['tracker.record, by id', 'calcPrice of genai-prices, provider given'],
                limit: 0.2,
                revised: provider === 'groq' ? 0.6 : 0.3,
                note: listLength,
              },
            ],
          },
          { warmUpMs: 1_500 }, // the first model is not to pay for the compiler
        ),
      );
    }
    groups.push(await memory());
    return groups;

    async function memory() {
      const [first, all] = pace.quick ? [60_000, 120_000] : [250_000, 1_000_000];
      const tracker = new CostTracker();
      let made = 0;
      const grow = async (upTo: number): Promise<number> => {
        for (; made < upTo; made++) {
          tracker.scope('tenant:1', () =>
            tracker.scope('feature:search', () =>
              tracker.scope(`request:${made}`, () =>
                tracker.scope('step:answer', () =>
                  tracker.record('gpt-4o', { inputTokens: 900, outputTokens: 100 }),
                ),
              ),
            ),
          );
        }
        return (await keptBytes()) / 2 ** 20;
      };
      const name = (calls: number): string =>
        `after ${calls.toLocaleString('en-US')} calls in as many request scopes`;
      const early = await grow(first);
      const late = await grow(all);
      if (tracker.summary().calls !== all) throw new Error('calls were lost');
      return gauge({
        title: 'Memory: the whole heap of the process',
        unit: 'MB',
        rounds: 1,
        gauged: [
          { name: name(first), read: () => early },
          { name: name(all), read: () => late },
        ],
        targets: [
          {
            text: 'flat: heap at the end, against a quarter of the way',
            ratio: [name(all), name(first)],
            limit: 1.05,
          },
        ],
      });
    }
  },
};
