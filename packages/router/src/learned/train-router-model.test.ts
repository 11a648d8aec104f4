import { ConfigError } from '@synapsekit/core';
import { describe, expect, test } from 'vitest';
import { syntheticOutcomes } from '../../test/synthetic-outcomes.ts';
import { measureGap } from '../measure/measure-gap.ts';
import { seededRandom } from '../measure/seeded-random.ts';
import type { OutcomeRow } from '../outcomes/outcome.ts';
import { GainModel } from './gain-model.ts';
import { trainRouterModel } from './train-router-model.ts';

/** Two models that are right equally often, on different queries. */
const evenOutcomes = (count: number): OutcomeRow[] =>
  syntheticOutcomes(count).map((row, i) => ({
    ...row,
    outcomes: { small: { score: i % 2, costUsd: 0.0002 }, large: { score: 1 - (i % 2), costUsd: 0.004 } },
  }));
const nanScore = { small: { score: Number.NaN, costUsd: 0 }, large: { score: 1, costUsd: 0 } };

const apgr = (model: GainModel, rows: readonly OutcomeRow[]): number =>
  measureGap(
    {
      scores: rows.map(({ prompt }) => model.gain(prompt)),
      weak: rows.map(({ outcomes }) => outcomes.small?.score ?? 0),
      strong: rows.map(({ outcomes }) => outcomes.large?.score ?? 0),
    },
    { draws: 20, random: seededRandom(1) },
  )?.apgr.value ?? Number.NaN;

describe('trainRouterModel', () => {
  test('learns the gain and not the difficulty, and reads back from JSON to the same figures', async () => {
    const model = await trainRouterModel(syntheticOutcomes(600, { seed: 1 }));
    const fresh = syntheticOutcomes(1_500, { seed: 2 });
    expect(model.json).toMatchObject({ form: 'learned', weak: 'small', strong: 'large' });
    expect(apgr(model, fresh)).toBeGreaterThan(0.75);
    expect(model.gain('what is the riddle of the lottery dice?')).toBeLessThan(
      model.gain('prove the theorem of the lemma'),
    );
    const { small = 0, large = 0 } = model.predict('prove the lemma, integral converges');
    expect(large - small).toBeGreaterThan(0.3);
    expect(model.predict('prove it', { hardened: true }).large).toBeLessThanOrEqual(1);

    const text = JSON.stringify(model.json);
    expect(text.length).toBeLessThan(64 * 1_024);
    expect(text).not.toContain('theorem');
    const again = new GainModel(JSON.parse(text));
    for (const { prompt } of fresh.slice(0, 50)) expect(again.gain(prompt)).toBe(model.gain(prompt));
  });

  test('is the same file, byte for byte, for the same seed, and another for another', async () => {
    const rows = syntheticOutcomes(400, { seed: 5 });
    const [one, two, other] = await Promise.all(
      [7, 7, 8].map(async (seed) => JSON.stringify((await trainRouterModel(rows, { seed, rows: 300 })).json)),
    );
    expect(one).toBe(two);
    expect(one).not.toBe(other);
  });

  test('falls back to length where learning is not clearly better, and orders queries by length then', async () => {
    const random = seededRandom(3);
    const rows = Array.from({ length: 400 }, (_, i): OutcomeRow => {
      const length = 1 + Math.floor(random() * 60);
      const chance = 0.2 + (0.7 * length) / 60;
      const words = Array.from({ length }, () => `w${Math.floor(random() * 5_000)}x`);
      const [small, large] = [Number(random() < 0.3), Number(random() < chance)];
      return {
        id: String(i),
        prompt: words.join(' '),
        outcomes: { small: { score: small }, large: { score: large } },
      };
    });
    const model = await trainRouterModel(rows);
    expect(model.json.form).toBe('length');
    const gains = [20, 60, 150, 300].map((length) => model.gain('abcd '.repeat(length / 5)));
    expect(gains).toEqual(gains.toSorted((a, b) => a - b));
    expect(new Set(gains).size).toBe(4);
    const kept = await trainRouterModel(rows, { fallback: false });
    expect(kept.json.form).toBe('learned');
  });

  test('where length is all there is, it falls back, but for a few times in a hundred', {
    timeout: 60_000,
  }, async () => {
    const trials = 60;
    let kept = 0;
    for (let trial = 0; trial < trials; trial++) {
      const random = seededRandom(7_919 * trial);
      const rows = Array.from({ length: 240 }, (_, i): OutcomeRow => {
        const length = 1 + Math.floor(random() * 60);
        const words = Array.from({ length }, () => `w${Math.floor(400 ** random())}x`);
        const [small, large] = [Number(random() < 0.3), Number(random() < 0.3 + (0.3 * length) / 60)];
        return {
          id: String(i),
          prompt: words.join(' '),
          outcomes: { small: { score: small }, large: { score: large } },
        };
      });
      const { json } = await trainRouterModel(rows, { buckets: 1_024, weak: 'small', strong: 'large' });
      if (json.form === 'learned') kept++;
    }
    // 5 % are allowed; three standard deviations more would be the bad luck of one in a thousand.
    expect(kept / trials).toBeLessThan(0.05 + 3 * Math.sqrt((0.05 * 0.95) / trials));
  });

  test('where shorter queries gain more, what was learnt is kept: going by length would be worse than a coin', async () => {
    const random = seededRandom(5);
    const rows = Array.from({ length: 600 }, (_, i): OutcomeRow => {
      const short = random() < 0.5;
      return {
        id: String(i),
        prompt: short ? `Prove lemma ${i}.` : `Which city of the country lies on river ${i}?`,
        outcomes: {
          small: { score: Number(random() < (short ? 0.3 : 0.9)) },
          large: { score: Number(random() < 0.9) },
        },
      };
    });
    const { json } = await trainRouterModel(rows, { weak: 'small', strong: 'large' });
    expect(json.validation?.lengthApgr).toBeLessThan(0.4);
    expect(json.validation?.advantage.low).toBeGreaterThan(0.2);
    expect(json.form).toBe('learned');
  });

  test('where something is learnt, little is enough to prove it', async () => {
    const forms = await Promise.all(
      [1, 2, 3, 4, 5, 6, 7, 8].map(
        async (seed) => (await trainRouterModel(syntheticOutcomes(300, { seed }))).json.form,
      ),
    );
    expect(forms).toEqual(forms.map(() => 'learned'));
  });

  test('a head for each of many models, the cheapest and the best the pair', async () => {
    const rows = syntheticOutcomes(300, { seed: 6 }).map((row) => ({
      ...row,
      outcomes: { ...row.outcomes, middle: { score: row.outcomes.small?.score ?? 0, costUsd: 0.001 } },
    }));
    const model = await trainRouterModel(rows, { fallback: false });
    expect(model.models).toEqual(['small', 'large', 'middle']);
    expect([model.weak, model.strong]).toEqual(['small', 'large']);
    expect(Object.keys(model.predict('prove the theorem'))).toEqual(['small', 'large', 'middle']);
    expect(JSON.stringify(model.json).length).toBeLessThan(64 * 1_024);
  });

  test('knows what it was trained on, and takes little of the rest for it', async () => {
    const rows = syntheticOutcomes(500, { seed: 1 });
    const model = await trainRouterModel(rows, { fallback: false });
    expect(rows.every(({ prompt }) => model.wasTrainedOn(prompt))).toBe(true);
    const others = syntheticOutcomes(1_000, { seed: 77 }).filter(({ prompt }) => model.wasTrainedOn(prompt));
    expect(others.length).toBeLessThan(80);
  });

  test('a prefix cannot lift the hardened gain of a query far, a long one does not lift any of an earlier message', async () => {
    const model = await trainRouterModel(syntheticOutcomes(600, { seed: 1 }), { fallback: false });
    const query = `${'what is the capital city of the country with the river and flag '.repeat(2)}?`;
    const prefix = 'prove theorem lemma integral matrix converges '.repeat(40);
    const clean = model.hardenedGain(query);
    expect(model.gain(prefix + query)).toBeGreaterThan(model.gain(query) + 0.05);
    expect(model.hardenedGain(prefix + query)).toBeLessThan(clean + 0.1);
    const turns = [
      { role: 'user', content: prefix },
      { role: 'user', content: query },
    ] as const;
    expect(model.gain(turns)).toBe(model.gain(query));
  });

  test.each([
    [[], {}, 'empty', 'There is no outcome row'],
    [syntheticOutcomes(150), {}, 'too-few', '150 rows have a score for every model; training needs 200'],
    [
      syntheticOutcomes(300),
      { rows: 301 },
      'too-few',
      'There are 300 rows with all models, 301 were asked for',
    ],
    [syntheticOutcomes(300), { models: ['small'] }, 'one-model', 'only one model (small)'],
    [
      syntheticOutcomes(300).map((row) => ({
        ...row,
        outcomes: { small: { score: 1 }, large: { score: 1 } },
      })),
      {},
      'too-few',
      'differ in 0 of 300 rows',
    ],
    [syntheticOutcomes(300), { weak: 'large', strong: 'small' }, 'no-gap', 'Always take large'],
    [
      // As good as each other: whoever is named strong, the cheap one is enough.
      evenOutcomes(300),
      {},
      'no-gap',
      'large scores 0.500, small 0.500: nothing is gained by asking the first, and it costs $0.004 per query ' +
        'against $0.0002: it is dominated. Always take small.',
    ],
    [evenOutcomes(300), { weak: 'small', strong: 'large' }, 'no-gap', 'Always take small.'],
    // The best model is named the weak one: the strong one is another.
    [syntheticOutcomes(300), { weak: 'large' }, 'no-gap', /^small scores .*Always take large\.$/],
    [
      syntheticOutcomes(300).map((row, i) => (i === 7 ? { ...row, outcomes: nanScore } : row)),
      {},
      'malformed',
      'rows[7]: outcomes["small"].score must be a number from 0 to 1, got NaN.',
    ],
    [[...syntheticOutcomes(300), {}], {}, 'malformed', 'rows[300]: id must be text.'],
    [null, {}, 'malformed', 'must be a list of rows'],
    [
      syntheticOutcomes(300, { costs: false }),
      { costsUsd: { small: 0.004, large: 0.0002 } },
      'dominated',
      'small is dominated: it scores',
    ],
    [
      syntheticOutcomes(300, { costs: false }),
      { costsUsd: { small: 0.001, large: 0.001 } },
      'dominated',
      'There is nothing to route between: always take large.',
    ],
    [
      syntheticOutcomes(300, { costs: false }).map((row) => ({
        ...row,
        outcomes: { ...row.outcomes, tiny: { score: 0 } },
      })),
      { costsUsd: { small: 0.004, large: 0.002, tiny: 0.0001 }, weak: 'small' },
      'dominated',
      'Name a cheaper one as the weak model (--weak; in code: weak).',
    ],
    [
      syntheticOutcomes(300, { costs: false }),
      { costsUsd: { large: 0.004 } },
      'incomplete',
      'small has no cost in 300 of 300 rows, others have one',
    ],
  ] as const)('refuses outcomes that do not carry it (%#)', async (rows, options, problem, message) => {
    const failed = trainRouterModel(rows as readonly OutcomeRow[], options);
    await expect(failed).rejects.toMatchObject({ name: 'OutcomesError', problem });
    await expect(failed).rejects.toThrow(message);
  });

  test('refuses options out of range, and stops when it is told to', async () => {
    const rows = syntheticOutcomes(300);
    await expect(trainRouterModel(rows, { seed: -1 })).rejects.toThrow('seed must be');
    await expect(trainRouterModel(rows, { l2: 0 })).rejects.toThrow('l2 must be');
    await expect(trainRouterModel(rows, { sed: 1 } as never)).rejects.toThrow('no option "sed"');
    await expect(trainRouterModel(rows, { strong: 'huge' })).rejects.toThrow('No row names the model "huge"');
    const controller = new AbortController();
    const steps: number[] = [];
    const reason = new Error('enough');
    const training = trainRouterModel(rows, {
      signal: controller.signal,
      onProgress: (share) => {
        steps.push(share);
        controller.abort(reason);
      },
    });
    await expect(training).rejects.toBe(reason);
    expect(steps).toHaveLength(1);
  });
});

describe('GainModel', () => {
  test.each([
    [undefined, 'it must be the parsed JSON'],
    [{}, '"kind" is not'],
    [{ kind: 'synapsekit-router-model', version: 1 }, 'its version is 1, this release reads 2'],
    [{ kind: 'synapsekit-router-model', version: 2, form: 'learned', models: [] }, 'two models or more'],
  ])('refuses what is no model: %j', (json, message) => {
    expect(() => new GainModel(json)).toThrow(message);
  });

  test('refuses a model that somebody has cut', async () => {
    const { json } = await trainRouterModel(syntheticOutcomes(300), { fallback: false });
    const [head] = json.heads as unknown as { words: { data: string; scale: number } }[];
    const cut = { ...head, words: { scale: 1, data: head?.words.data.slice(0, 100) } };
    expect(() => new GainModel({ ...json, heads: [cut, json.heads[1]] })).toThrow('must hold');
    expect(() => new GainModel({ ...json, strong: 'nobody' })).toThrow('"strong" names none of its models');
    expect(() => new GainModel({ ...json, models: [null, json.models[1]] })).toThrow('models need names');
    for (const lost of [null, undefined, {}]) {
      for (const form of ['learned', 'length']) {
        const heads = [lost, json.heads[1]];
        expect(() => new GainModel({ ...json, form, heads })).toThrow(ConfigError);
      }
    }
  });
});
