import { expect, test } from 'vitest';
import { litellmComplexity, verbScore } from '../scripts/keyword-scorers.ts';

const filler = 'and so it goes on with words that say nothing at all about anything'; // 16 tokens

test.each<[string, number, number]>([
  // Dimensions one by one: tokens, code, reasoning, technical, simple, steps, questions.
  ['too little', -0.1, 0],
  [filler, 0, 0],
  [`${filler} `.repeat(26), 0.1, 0],
  [`${filler} function`, 0.15, 1],
  [`${filler} function and class`, 0.3, 1],
  [`${filler} functional classical`, 0, 0],
  [`${filler} logical`, 0.175, 1],
  [`${filler} latency`, 0, 0],
  [`${filler} latency, throughput`, 0.125, 0],
  [`${filler} latency, throughput, tcp, http`, 0.25, 1],
  [`${filler} what is it`, -0.05, 0],
  [`${filler} first this, then that`, 0.015, 0],
  [`${filler}????`, 0.01, 0],
  ['Write a B-tree implementation', -0.1, 0],
  // Two marks of reasoning are the highest tier, whatever the sum.
  ['Think carefully, step by step.', 0.15, 3],
  [`${filler} function class machine learning gpu latency tcp`, 0.55, 2],
])('LiteLLM’s rule: %j', (query, score, tier) => {
  const found = litellmComplexity(query);
  expect(found.score).toBeCloseTo(score, 9);
  expect(found.tier).toBe(tier);
});

test('the rule of thumb', () => {
  expect(
    ['What is that?', 'Explain that.', 'Who can explain that?', 'Tell what it is.'].map(verbScore),
  ).toEqual([-1, 1, 0, 0]);
});
