import { describe, expect, test } from 'vitest';
import { parseArguments } from './arguments.ts';
import { UsageError } from './usage-error.ts';

describe('arguments', () => {
  test('without any the simulated story is told', () => {
    expect(parseArguments([])).toEqual({
      help: false,
      json: false,
      live: false,
      budgetUsd: 0.05,
      query: undefined,
      file: undefined,
    });
  });

  test('a leading "--" of a package manager is no argument', () => {
    expect(parseArguments(['--', '--live', '--budget-usd', '0.5'])).toMatchObject({
      live: true,
      budgetUsd: 0.5,
    });
  });

  test.each([
    [['--nope'], '--nope'],
    [['question'], 'question'],
    [['--query'], '--query'],
    [['--query', '  '], '--query needs a text'],
    [['--query', 'a', '--file', 'b'], 'do not go together'],
    [['--file='], '--file needs'],
    [['--live', '--budget-usd', 'much'], '--budget-usd'],
    [['--live', '--budget-usd', '0'], '--budget-usd'],
    [['--live', '--budget-usd='], '--budget-usd'],
    [['--budget-usd', '1'], 'goes with --live'],
  ])('%j is refused in one sentence', (args, words) => {
    expect(() => parseArguments(args)).toThrow(UsageError);
    expect(() => parseArguments(args)).toThrow(words);
    expect(() => parseArguments(args)).not.toThrow(/\n|\.\./);
  });
});
