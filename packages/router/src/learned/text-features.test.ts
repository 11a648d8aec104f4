import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { denseFeatureNames, TextFeatures } from './text-features.ts';

const read = (text: string, buckets = 1 << 10): { indices: number[]; values: number[]; dense: number[] } => {
  const features = new TextFeatures(buckets);
  features.read(text);
  return {
    indices: [...features.indices.subarray(0, features.count)],
    values: [...features.values.subarray(0, features.count)],
    dense: [...features.dense],
  };
};
const words = ({ indices, values }: ReturnType<typeof read>): Map<number, number> =>
  new Map(
    indices
      .slice(denseFeatureNames.length)
      .map((index, i) => [index, values[denseFeatureNames.length + i] ?? 0]),
  );

describe('TextFeatures', () => {
  test('any text becomes finite numbers, each index once, words with length 1', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
        const found = read(text, 64);
        expect(new Set(found.indices).size).toBe(found.indices.length);
        expect(found.values.every(Number.isFinite)).toBe(true);
        expect(Math.max(-1, ...found.indices)).toBeLessThan(64 + denseFeatureNames.length);
        const squares = [...words(found).values()].reduce((sum, value) => sum + value * value, 0);
        expect(squares === 0 || Math.abs(squares - 1) < 1e-9).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  test('what was read before changes nothing', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 60 }), { minLength: 1, maxLength: 6 }), (texts) => {
        const features = new TextFeatures(128);
        for (const text of texts) features.read(text);
        const last = read(texts.at(-1) ?? '', 128);
        expect([...features.indices.subarray(0, features.count)]).toEqual(last.indices);
        expect([...features.values.subarray(0, features.count)]).toEqual(last.values);
      }),
    );
  });

  test('case and white space are no difference of words', () => {
    const plain = words(read('What is the capital of France?'));
    expect(words(read('  what IS   the\n capital of France? '))).toEqual(plain);
    expect(words(read('what is the capital of Spain?'))).not.toEqual(plain);
    expect(words(read('ÉCOLE'))).toEqual(words(read('école')));
  });

  test('numbers of as many digits are alike', () => {
    expect(words(read('add 17 and 25'))).toEqual(words(read('add 93 and 41')));
    expect(words(read('add 17 and 25'))).not.toEqual(words(read('add 1700 and 25')));
  });

  test('measures what it says', () => {
    const { dense } = read('Is 12 > 7? Yes, it "is".\n');
    const of = (name: (typeof denseFeatureNames)[number]): number =>
      dense[denseFeatureNames.indexOf(name)] ?? 0;
    expect(of('log-words')).toBeCloseTo(Math.log1p(6));
    expect(of('numbers')).toBeCloseTo(Math.log1p(2));
    expect(of('questions')).toBeCloseTo(Math.log1p(1));
    expect(of('quotes')).toBeCloseTo(Math.log1p(2));
    expect(of('lines')).toBeCloseTo(Math.log1p(1));
    expect(of('maths-signs')).toBeCloseTo(Math.log1p(1));
  });

  test('ten megabytes are no more work than some thousand characters', () => {
    const long = read(`${'word '.repeat(2_000_000)}the end`, 1 << 12);
    expect(long.dense[0]).toBeGreaterThan(Math.log(9_000_000));
    expect(long.indices.length).toBeLessThan(100);
    expect(read('漢字かな交じり文', 256).indices.length).toBeGreaterThan(denseFeatureNames.length + 5);
  });

  test('refuses buckets that are no power of two', () => {
    expect(() => new TextFeatures(1_000)).toThrow('power of two');
    expect(() => new TextFeatures(8)).toThrow('>= 16');
  });
});
