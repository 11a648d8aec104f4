import { type PicoUsd, parseUsd } from '@synapsekit/core';
import { expect, test } from 'vitest';
import { flatPrices } from '../test/flat-prices.ts';
import { CostTracker } from './cost-tracker.ts';

/** The five queries of the tutorial's step 6, with token counts that are about what they cost there. */
const queries = [
  { model: 'groq/llama-3.1-8b-instant', inputTokens: 14, outputTokens: 9 },
  { model: 'groq/llama-3.3-70b-versatile', inputTokens: 18, outputTokens: 371 },
  { model: 'gpt-4o', inputTokens: 24, outputTokens: 1_204 },
  { model: 'groq/llama-3.1-8b-instant', inputTokens: 13, outputTokens: 8 },
  { model: 'groq/llama-3.3-70b-versatile', inputTokens: 16, outputTokens: 402 },
];

function runTutorial(): CostTracker {
  const tracker = new CostTracker({ prices: flatPrices() });
  for (const [index, { model, ...usage }] of queries.entries()) {
    tracker.scope(`pipeline:batch-${index}`, () => {
      tracker.scope('step:classify', () =>
        tracker.record('groq/llama-3.1-8b-instant', { inputTokens: 80, outputTokens: 1 }),
      );
      tracker.scope('step:answer', () => tracker.scope(`llm:${model}`, () => tracker.record(model, usage)));
    });
  }
  return tracker;
}

function sum(amounts: readonly (string | undefined)[]): PicoUsd {
  return amounts.reduce((total, amount) => total + parseUsd(amount ?? '0'), 0n);
}

test('the summary has the shape of the tutorial and survives JSON', () => {
  const summary = runTutorial().summary();
  expect(JSON.parse(JSON.stringify(summary))).toEqual(summary);
  expect(Object.keys(summary).slice(0, 3)).toEqual(['totalUsd', 'byScope', 'byModel']);
  expect(summary).toMatchObject({
    totalUsd: 0.01275384,
    byScope: {
      'pipeline:batch-0': 0.0000055,
      'pipeline:batch-1': 0.00030779,
      'pipeline:batch-2': 0.01210408,
      'pipeline:batch-3': 0.00000537,
      'pipeline:batch-4': 0.0003311,
      'step:classify': 0.0000204,
      'step:answer': 0.01273344,
      'llm:groq/llama-3.1-8b-instant': 0.00000271,
      'llm:groq/llama-3.3-70b-versatile': 0.00063073,
      'llm:gpt-4o': 0.0121,
    },
    byModel: {
      'groq/llama-3.1-8b-instant': 0.00002311,
      'groq/llama-3.3-70b-versatile': 0.00063073,
      'gpt-4o': 0.0121,
    },
    calls: 10,
    inputTokens: 485,
    outputTokens: 1_999,
  });
});

test('names stand in the order of their first records', () => {
  const { byScope } = runTutorial().summary();
  expect(Object.keys(byScope).slice(0, 5)).toEqual([
    'pipeline:batch-0',
    'step:classify',
    'step:answer',
    'llm:groq/llama-3.1-8b-instant',
    'pipeline:batch-1',
  ]);
});

/**
 * The summary that the tutorial prints cannot be: `llm:gpt-4o` has less than `gpt-4o`, which is called nowhere else,
 * and the classifier's model has no more than its answers alone.
 */
test('scopes and models agree where the printed summary of the tutorial does not', () => {
  const { exact } = runTutorial().summary();
  const { byScope, byModel, totalUsd } = exact;
  expect(byScope['llm:gpt-4o']).toBe(byModel['gpt-4o']);
  expect(byScope['llm:groq/llama-3.3-70b-versatile']).toBe(byModel['groq/llama-3.3-70b-versatile']);
  expect(sum([byScope['llm:groq/llama-3.1-8b-instant'], byScope['step:classify']])).toBe(
    sum([byModel['groq/llama-3.1-8b-instant']]),
  );
  const total = parseUsd(totalUsd);
  expect(sum(Object.values(byModel))).toBe(total);
  expect(sum([byScope['step:classify'], byScope['step:answer']])).toBe(total);
  expect(sum(queries.map((_, index) => byScope[`pipeline:batch-${index}`]))).toBe(total);
  expect(
    sum(
      Object.keys(byScope)
        .filter((name) => name.startsWith('llm:'))
        .map((name) => byScope[name]),
    ),
  ).toBe(sum([byScope['step:answer']]));
});

test('the tree has every path, with what was recorded there and below', () => {
  const { tree } = runTutorial().summary();
  expect(tree).toMatchObject({ name: '', costUsd: 0.01275384, calls: 10 });
  expect(tree.children).toHaveLength(5);
  expect(tree.children[2]).toEqual({
    name: 'pipeline:batch-2',
    costUsd: 0.01210408,
    costUsdExact: '0.01210408',
    calls: 2,
    inputTokens: 104,
    outputTokens: 1_205,
    children: [
      expect.objectContaining({ name: 'step:classify', costUsd: 0.00000408, children: [] }),
      expect.objectContaining({
        name: 'step:answer',
        costUsd: 0.0121,
        children: [expect.objectContaining({ name: 'llm:gpt-4o', costUsd: 0.0121 })],
      }),
    ],
  });
});

test('many small calls add up exactly where doubles drift', () => {
  const tracker = new CostTracker({ prices: flatPrices() });
  let drifting = 0;
  for (let call = 0; call < 20_000; call++) {
    drifting += tracker.scope('s', () =>
      tracker.record('gpt-4o-mini', { inputTokens: 13, outputTokens: 1 }),
    ).costUsd;
  }
  expect(drifting).not.toBe(0.051);
  expect(tracker.totalUsd).toBe(0.051);
  expect(tracker.scopeCost('s')).toBe(0.051);
});
