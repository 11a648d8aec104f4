import { ConfigError } from '@synapsekit/core';
import { describe, expect, test } from 'vitest';
import { caseRun } from '../test/case-run.ts';
import { ContainsKeywords, type ContainsKeywordsOptions } from './contains-keywords.ts';
import { MaxLatencyMs } from './max-latency-ms.ts';
import { MinWordCount } from './min-word-count.ts';

describe('ContainsKeywords', () => {
  const judge = (output: unknown, options: ContainsKeywordsOptions<never>) =>
    new ContainsKeywords(options).evaluate(caseRun({ output }));

  test('counts what it finds and names what it misses', () => {
    const keywords = ['merge', 'log n', 'stable'];
    expect(judge('Merge sort is STABLE and takes n log n', { keywords })).toEqual({
      pass: true,
      detail: '3/3 keywords found',
    });
    expect(judge('Merge sort', { keywords })).toEqual({
      pass: false,
      detail: '1/3 keywords found, missing: "log n", "stable"',
    });
  });

  test('can mind case, and be content with some', () => {
    expect(judge('Merge', { keywords: ['merge'], ignoreCase: false }).pass).toBe(false);
    expect(judge('a b', { keywords: ['a', 'b', 'c'], minKeywords: 2 }).pass).toBe(true);
    expect(judge('a', { keywords: ['a', 'b', 'c'], minKeywords: 2 }).pass).toBe(false);
  });

  test('finds a letter however it is composed', () => {
    expect(judge('cafe\u0301', { keywords: ['caf\u00e9'] }).pass).toBe(true);
  });

  test('fails on output that is missing or no text', () => {
    expect(judge(undefined, { keywords: ['a'] })).toEqual({
      pass: false,
      detail: 'the case returned no output',
    });
    expect(judge(['a'], { keywords: ['a'] })).toEqual({
      pass: false,
      detail: 'output is not text but object',
    });
    expect(judge(null, { keywords: ['a'] })).toEqual({ pass: false, detail: 'output is not text but null' });
  });

  test('refuses keywords that every text contains, or that cannot be reached', () => {
    for (const keywords of [[], [''], ['a', ' ']]) {
      expect(() => new ContainsKeywords({ keywords })).toThrow(ConfigError);
    }
    expect(() => new ContainsKeywords({ keywords: ['a'], minKeywords: 2 })).toThrow(/minKeywords/);
    expect(() => new ContainsKeywords({ keywords: ['a'], minKeywords: 0 })).toThrow(/minKeywords/);
  });
});

describe('MinWordCount', () => {
  test('counts runs of anything but white space', () => {
    const judge = (output: unknown, words: number) =>
      new MinWordCount({ words }).evaluate(caseRun({ output }));
    expect(judge("  It's\n\tnot 1,000 words — ", 5)).toEqual({ pass: true, detail: '5 words' });
    expect(judge('one', 2)).toEqual({ pass: false, detail: '1 word, 2 wanted' });
    expect(judge('', 1)).toEqual({ pass: false, detail: '0 words, 1 wanted' });
    expect(judge(undefined, 1).pass).toBe(false);
  });

  test('refuses to ask for none', () => {
    expect(() => new MinWordCount({ words: 0 })).toThrow(ConfigError);
  });
});

describe('MaxLatencyMs', () => {
  const judge = (threshold: number, latencyMs: number) =>
    new MaxLatencyMs({ threshold }).evaluate(caseRun({ latencyMs, reported: { latencyMs: 1 } }));

  test('judges the measured time, the threshold included', () => {
    expect(judge(100, 12.3)).toEqual({ pass: true, detail: '12 ms < 100 ms' });
    expect(judge(100, 100)).toEqual({ pass: true, detail: '100 ms = 100 ms' });
    expect(judge(100, 1_234)).toEqual({ pass: false, detail: '1234 ms > 100 ms' });
  });

  test('prints in full what would look equal when rounded', () => {
    expect(judge(100, 100.25)).toEqual({ pass: false, detail: '100.25 ms > 100 ms' });
  });

  test('asks that its cases run alone', () => {
    expect(new MaxLatencyMs({ threshold: 1 }).exclusive).toBe(true);
    expect(() => new MaxLatencyMs({ threshold: Number.NaN })).toThrow(ConfigError);
  });
});
