import { describe, expect, test } from 'vitest';
import { checkCallOptions, checkLLMConfig } from './options.ts';
import { rejectUnknownKeys, requireNumber } from './validate.ts';

describe('requireNumber', () => {
  test.each([
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    ['3', '"3"'],
    [null, 'null'],
    [undefined, 'undefined'],
    [3n, '3'],
    [Symbol('x'), 'Symbol(x)'],
    [Object.create(null), 'an object'],
  ])('refuses %o', (value, shown) => {
    expect(() => requireNumber(value, 'limit')).toThrow(`limit must be a finite number, got ${shown}.`);
  });

  test('names the rule that was broken', () => {
    expect(() => requireNumber(0, 'windowSeconds', { above: 0 })).toThrow(
      'windowSeconds must be a finite number > 0, got 0.',
    );
    expect(() => requireNumber(1.5, 'failureThreshold', { min: 1, integer: true })).toThrow(
      'failureThreshold must be a whole number >= 1, got 1.5.',
    );
    expect(requireNumber(1, 'topP', { min: 0, max: 1 })).toBe(1);
  });
});

test('an unknown key is named, with the keys that exist', () => {
  expect(() => rejectUnknownKeys({ perDay: 5 }, ['daily', 'monthly'], 'BudgetLimit')).toThrow(
    'BudgetLimit has no option "perDay". It has: daily, monthly.',
  );
});

describe('LLMConfig and CallOptions', () => {
  test('the tutorial’s configuration passes and is copied', () => {
    const config = { temperature: 0.1, maxTokens: 512, trackTokens: true };
    expect(checkLLMConfig(config)).toEqual(config);
    expect(checkLLMConfig(config)).not.toBe(config);
  });

  test.each([
    [{ temperature: 2.1 }, 'temperature'],
    [{ temperature: Number.NaN }, 'temperature'],
    [{ maxTokens: 0 }, 'maxTokens'],
    [{ maxTokens: 1.5 }, 'maxTokens'],
    [{ timeoutMs: 0 }, 'timeoutMs'],
    [{ idleTimeoutMs: Number.POSITIVE_INFINITY }, 'idleTimeoutMs'],
    [{ max_tokens: 512 }, 'max_tokens'],
    [{ trackTokens: 'yes' }, 'trackTokens'],
  ])('refuses %o', (config, option) => {
    expect(() => checkLLMConfig(config as never)).toThrow(option);
  });

  test.each([
    [{ topP: 1.1 }, 'topP'],
    [{ maxtokens: 5 }, 'maxtokens'],
    [{ responseFormat: { type: 'xml' } }, 'responseFormat'],
    [{ toolChoice: 'bogus' }, 'toolChoice'],
    [{ logprobs: 'x' }, 'logprobs'],
    [{ attributes: 'x' }, 'attributes'],
    [{ parallelToolCalls: 'x' }, 'parallelToolCalls'],
    [{ serviceTier: 5 }, 'serviceTier'],
    [{ seed: 0.5 }, 'seed'],
    [{ logprobs: 21 }, 'logprobs'],
    [{ stop: 5 }, 'stop'],
    [{ toolChoice: { name: 'weather' } }, 'weather'],
  ])('refuses the call option %o', (options, option) => {
    expect(() => checkCallOptions(options as never)).toThrow(option);
  });
});

test.each([
  [{ toolChoice: null }, 'toolChoice'],
  [{ tools: {} }, 'tools'],
  [{ tools: [null] }, 'tools'],
  [{ stop: [1] }, 'stop'],
  [{ signal: {} }, 'signal'],
  [{ signal: null }, 'signal'],
])('a call with %o is refused', (options, option) => {
  expect(() => checkCallOptions(options as never)).toThrow(
    expect.objectContaining({ code: 'config', option }),
  );
});
