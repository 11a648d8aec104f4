import fc from 'fast-check';
import { expect, test } from 'vitest';
import { clip } from './clip.ts';

test('keeps the beginning and the end, and says how much is left out', () => {
  expect(clip('short', 5)).toBe('short');
  const clipped = clip(`${'a'.repeat(500)}${'b'.repeat(500)}`, 100);
  expect(clipped).toMatch(/^a+ … \(9\d\d characters left out\) … b+$/);
  expect(clipped.length).toBeLessThanOrEqual(100);
});

test('whatever the text: never longer, nothing invented, and what it says adds up', () => {
  const text = fc.string({ unit: 'binary', minLength: 0, maxLength: 400 });
  fc.assert(
    fc.property(text, fc.integer({ min: 60, max: 200 }), (whole, max) => {
      const clipped = clip(whole, max);
      if (whole.length <= max) {
        expect(clipped).toBe(whole);
        return;
      }
      expect(clipped.length).toBeLessThanOrEqual(max);
      expect(clipped.isWellFormed()).toBe(true);
      const [, start = '', count = '', end = ''] =
        /^(.*) … \(([\d,]+) characters left out\) … (.*)$/s.exec(clipped) ?? [];
      expect(start.length + Number(count.replaceAll(',', '')) + end.length).toBe(whole.length);
      // Halves of a pair that was cut in two are replaced.
      expect(whole.startsWith(start.replace(/\ufffd$/, ''))).toBe(true);
      expect(whole.endsWith(end.replace(/^\ufffd/, ''))).toBe(true);
    }),
  );
});
