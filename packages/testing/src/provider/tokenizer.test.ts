import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadTokenizer } from './tokenizer.ts';

const tokenizer = await loadTokenizer();

test('pieces are the text again, one or more tokens each', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
      const pieces = tokenizer.pieces(text);
      expect(pieces.join('')).toBe(text);
      expect(pieces.length).toBeLessThanOrEqual(tokenizer.count(text));
    }),
  );
  expect(tokenizer.pieces('Hello there, world')).toEqual(['Hello', ' there', ',', ' world']);
  expect(tokenizer.pieces('\ud800 alone').join('')).toBe('\ufffd alone');
});

test('special tokens are text', () => {
  expect(tokenizer.count('<|endoftext|>')).toBe(7);
  expect(tokenizer.pieces('a <|endoftext|> b').join('')).toBe('a <|endoftext|> b');
});

test('runs without a break take no quadratic time and stay whole', () => {
  const startMs = performance.now();
  for (const unit of ['a', ' ', '!', '漢', '\n', '👩‍👩‍👧']) {
    const text = unit.repeat(10_000);
    expect(tokenizer.count(text)).toBeGreaterThan(0);
    expect(tokenizer.pieces(text).join('')).toBe(text);
  }
  expect(performance.now() - startMs).toBeLessThan(3_000);
});
