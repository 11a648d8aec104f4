import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Message } from './prompt.ts';
import { createTokenCounter, estimateTextTokens, maxPromptTokens } from './tokens.ts';

/** One token a character, and the texts it was asked to count. */
function characterCounter() {
  const seen: string[] = [];
  const counter = createTokenCounter({
    countTokens(text, { disallowedSpecial }) {
      if (disallowedSpecial.size > 0) throw new Error('special tokens must count as text');
      seen.push(text);
      return text.length;
    },
  });
  return { counter, seen };
}

describe('maxPromptTokens', () => {
  test('bounds any tokenizer by bytes, whatever the text', () => {
    const { counter } = characterCounter();
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(maxPromptTokens(text)).toBeGreaterThanOrEqual(counter.countPrompt(text));
      }),
    );
  });

  test('tools, schemas, names and images count', () => {
    const base: Message[] = [{ role: 'user', content: 'Hello' }];
    const bound = (messages: readonly Message[], options = {}) => maxPromptTokens(messages, options);
    const plain = bound(base);
    expect(bound([{ role: 'user', content: 'Hello', name: 'Ada' }])).toBeGreaterThan(plain);
    expect(bound(base, { tools: [{ name: 'weather' }] })).toBeGreaterThan(plain + 16);
    expect(bound(base, { responseFormat: { type: 'json-schema', name: 'x', schema: {} } })).toBeGreaterThan(
      plain,
    );
    expect(
      bound([{ role: 'user', content: [{ type: 'image', image: 'https://example.com/a.png' }] }]),
    ).toBeGreaterThan(1_445);
  });
});

describe('createTokenCounter', () => {
  test('counts all of a long run without spaces, in bounded pieces', () => {
    const { counter, seen } = characterCounter();
    const text = `start ${'a'.repeat(100_000)} end`;
    expect(counter.countText(text)).toBe(text.length);
    expect(Math.max(...seen.map((piece) => piece.length))).toBeLessThan(1_000);
  });

  test('and of a long run of spaces', () => {
    const { counter, seen } = characterCounter();
    const text = `start${' '.repeat(100_000)}end`;
    expect(counter.countText(text)).toBe(text.length);
    expect(Math.max(...seen.map((piece) => piece.length))).toBeLessThan(1_000);
  });

  test('loses nothing of any text', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'grapheme', minLength: 0, maxLength: 900 }), { maxLength: 4 }),
        (parts) => {
          const { counter, seen } = characterCounter();
          const text = parts.join(' ');
          counter.countText(text);
          expect(seen.join('')).toBe(text);
        },
      ),
    );
  });
});

test('the estimate is zero only for nothing', () => {
  expect(estimateTextTokens('')).toBe(0);
  expect(estimateTextTokens('a')).toBe(1);
  expect(estimateTextTokens('日本語')).toBe(3);
});

test('looks for long runs in linear time, also where all runs are nearly long', () => {
  const text = `${'a'.repeat(399)} `.repeat(10_000);
  const { counter } = characterCounter();
  const before = performance.now();
  expect(counter.countText(text)).toBe(text.length);
  expect(performance.now() - before).toBeLessThan(1_000); // from each character it takes 3 s
});
