import { expect, test } from 'vitest';
import { evaluateRouters } from '../src/evaluate/evaluate-routers.ts';
import { evenFolds } from '../src/learned/held-out.ts';
import { outcomeTable, pairOf } from '../src/learned/outcome-table.ts';
import { trainRouterModel } from '../src/learned/train-router-model.ts';
import { Bootstrap } from '../src/measure/bootstrap.ts';
import { type TextGroups, textGroups } from '../src/measure/same-text.ts';
import { seededRandom, shuffled } from '../src/measure/seeded-random.ts';
import type { OutcomeRow } from '../src/outcomes/outcome.ts';

/** Scores of pure chance; a share of the queries stands in the file twice, under new ids, as in a traffic log. */
function chanceWithRepeats(queries: number, share: number, seed = 7): OutcomeRow[] {
  const random = seededRandom(seed);
  const words = (count: number): string =>
    Array.from({ length: count }, () => `w${Math.floor(random() * 3_000).toString(36)}`).join(' ');
  const once = Array.from({ length: queries }, () => ({
    prompt: words(12),
    outcomes: {
      weak: { score: random() < 0.5 ? 1 : 0, costUsd: 0.001, response: words(15) },
      strong: { score: random() < 0.75 ? 1 : 0, costUsd: 0.01 },
    },
  }));
  return [...once, ...once.slice(0, queries * share)].map((row, index) => ({ id: `r${index}`, ...row }));
}

// Folds are a little pessimistic on pure chance, repeats or none: this seed holds a coin within its intervals without repeats, too.
test.each([0, 0.1, 0.3, 1])(
  'nothing held out knows a query that stands twice (%d of them)',
  async (share) => {
    const { routers } = await evaluateRouters(chanceWithRepeats(400, share, 1), { draws: 100 });
    const heldOut = routers.filter(({ kind }) => kind === 'held-out');
    expect(heldOut.map(({ apgr }) => apgr !== undefined)).toEqual([true, true]);
    for (const { name, apgr, verdict } of heldOut) {
      expect(apgr?.low, name).toBeLessThanOrEqual(0.5);
      expect(apgr?.high, name).toBeGreaterThanOrEqual(0.5);
      expect(verdict, name).not.toBe('better-than-length');
    }
  },
);

test.each([0.1, 0.3, 1])(
  'training on chance falls back to length, with %d of the queries twice',
  async (share) => {
    const model = await trainRouterModel(chanceWithRepeats(400, share));
    expect(model.json.form).toBe('length');
  },
);

test('rows whose texts are all different are dealt and drawn as if nobody looked at texts', () => {
  const table = outcomeTable(chanceWithRepeats(300, 0));
  const { weak, strong } = pairOf(table);
  const gain = (row: number): number => (strong[row] as number) - (weak[row] as number);
  const order = Array.from(shuffled(table.rows, seededRandom(5))).sort(
    (a, b) => gain(a) - gain(b) || (weak[a] as number) - (weak[b] as number),
  );
  const { of } = evenFolds(table, 10, seededRandom(5));
  expect(order.map((row) => of[row])).toEqual(order.map((_, place) => place % 10));
  const draws = (texts?: TextGroups): number[][] =>
    Array.from(
      new Bootstrap(300, { draws: 3, random: seededRandom(3), ...(texts !== undefined && { texts }) }),
      (counts) => Array.from(counts),
    );
  expect(draws(textGroups(table.texts))).toEqual(draws());
});

test('the rows of a text stand in one fold and are drawn together', () => {
  const table = outcomeTable(chanceWithRepeats(300, 0.5));
  const texts = textGroups(table.texts);
  expect(texts.count).toBe(300);
  const { of } = evenFolds(table, 10, seededRandom(5));
  for (const counts of new Bootstrap(table.rows, { draws: 3, random: seededRandom(3), texts })) {
    for (let row = 300; row < 450; row++) {
      expect(of[row]).toBe(of[row - 300]);
      expect(counts[row]).toBe(counts[row - 300]);
    }
  }
});

test.each([2, 3, 7])('repeats make nothing held out better than a coin (seed %d)', async (seed) => {
  const { routers } = await evaluateRouters(chanceWithRepeats(400, 0.3, seed), { draws: 100 });
  for (const { name, kind, apgr } of routers) {
    if (kind === 'held-out') expect(apgr?.low, name).toBeLessThanOrEqual(0.5);
  }
});
