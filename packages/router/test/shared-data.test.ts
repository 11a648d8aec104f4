import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { litellmComplexity } from '../scripts/keyword-scorers.ts';
import { evaluateRouters, heldOutName } from '../src/evaluate/evaluate-routers.ts';
import { trainRouterModel } from '../src/learned/train-router-model.ts';
import { measureGap } from '../src/measure/measure-gap.ts';
import { seededRandom } from '../src/measure/seeded-random.ts';
import { readOutcomes } from '../src/outcomes/read-outcomes.ts';

// The figures that docs/router.md gives, on the data that they were measured on. It ships with nothing.
const folder =
  process.env.SYNAPSEKIT_ROUTER_DATA ?? join(import.meta.dirname, '../../../../shared/data/router');
const there = existsSync(join(folder, 'mmlu.jsonl.gz'));
if (!there) {
  process.stderr.write(
    `SKIPPED: the figures of docs/router.md are not checked: no mmlu.jsonl.gz in ${folder}. Set SYNAPSEKIT_ROUTER_DATA.\n`,
  );
}

describe.skipIf(!there)('on RouteLLM’s labels', () => {
  test('MMLU: length has 0.583, and 1,500 labels are worth 0.63 and more', { timeout: 120_000 }, async () => {
    const rows = await readOutcomes(join(folder, 'mmlu.jsonl.gz'));
    const columns = (of: typeof rows) => ({
      weak: of.map(({ outcomes }) => outcomes['mixtral-8x7b']?.score ?? 0),
      strong: of.map(({ outcomes }) => outcomes['gpt-4-1106']?.score ?? 0),
    });
    const options = { draws: 200, random: seededRandom(1) };
    const lengths = rows.map(({ prompt }) => String(prompt).length);
    const length = measureGap({ scores: lengths, ...columns(rows) }, options);
    expect(length?.apgr.value).toBeCloseTo(0.583, 3);
    expect(length?.cpt50.value).toBeCloseTo(36.7, 1);
    expect(length?.cpt80.value).toBeCloseTo(69.4, 1);

    const model = await trainRouterModel(rows, { rows: 1_500, seed: 1, verifier: false });
    expect(model.json.form).toBe('learned');
    expect(JSON.stringify(model.json).length).toBeLessThan(64 * 1_024);
    const fresh = rows.filter(({ prompt }) => !model.wasTrainedOn(prompt));
    const learned = measureGap(
      { scores: fresh.map(({ prompt }) => model.gain(prompt)), ...columns(fresh) },
      options,
    );
    expect(learned?.apgr.value).toBeGreaterThanOrEqual(0.63);
    expect(learned?.cpt50.value).toBeLessThan(32);
    expect(learned?.cpt80.value).toBeLessThan(65);
  });

  test('rules of others are no better than length, as they were found before', async () => {
    for (const [set, score, tier] of [
      ['mmlu', 0.584, 0.504],
      ['gsm8k', 0.538, 0.502],
    ] as const) {
      const rows = await readOutcomes(join(folder, `${set}.jsonl.gz`), { responses: false });
      const pair = {
        weak: rows.map(({ outcomes }) => outcomes['mixtral-8x7b']?.score ?? 0),
        strong: rows.map(({ outcomes }) => outcomes['gpt-4-1106']?.score ?? 0),
      };
      const said = rows.map(({ prompt }) => litellmComplexity(String(prompt)));
      for (const [name, figure] of [
        ['score', score],
        ['tier', tier],
      ] as const) {
        const scores = said.map((rule) => rule[name]);
        const found = measureGap({ scores, ...pair }, { draws: 200, random: seededRandom(1) })?.apgr;
        expect(found?.low).toBeLessThan(figure);
        expect(found?.high).toBeGreaterThan(figure);
      }
    }
  });

  test('GSM8K: the 10-fold interval covers 0.66, its lower bound is above length', {
    timeout: 120_000,
  }, async () => {
    const rows = await readOutcomes(join(folder, 'gsm8k.jsonl.gz'), { responses: false });
    const { routers } = await evaluateRouters(rows);
    const found = (name: string) => routers.find((router) => router.name === name)?.apgr;
    const [length, learned] = [found('prompt length'), found(heldOutName)];
    expect(length?.value).toBeCloseTo(0.598, 3);
    expect(learned?.low).toBeGreaterThan(length?.value ?? 1);
    expect(learned?.low).toBeLessThan(0.66);
    expect(learned?.high).toBeGreaterThan(0.66);
    expect(found('oracle')?.value).toBeCloseTo(1.115, 3);
  });
});
