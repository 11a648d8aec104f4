import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readAnswer } from './answer-features.ts';
import { choiceAnswer, jsonFields, labelAnswer, numberAnswer, textAnswer } from './normalise.ts';

describe('numberAnswer', () => {
  test.each([
    ['3 * 60 = <<3*60=180>>180, in all 540.\n#### 540', '540'],
    ['The answer is $1,234.50.', '1234.5'],
    ['\\boxed{42}', '42'],
    ['\\boxed{\\frac{3}{4}}', '0.75'],
    ['Final answer: 3/4', '0.75'],
    ['First 10, then 12 eggs are left.', '12'],
    ['It is -5 degrees.', '-5'],
    ['0.30000000000000004', '0.3'],
    ['1e', undefined],
    ['none', undefined],
    ['Room B2', undefined],
    ['answer: unknown, but perhaps 7', '7'],
  ])('%j is %s', (text, expected) => {
    expect(numberAnswer(text)).toBe(expected);
  });

  test('property: finds any number however it is written', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1_000_000_000, max: 1_000_000_000 }),
        fc.constantFrom('#### ', 'The answer is ', 'Answer: **$', '\\boxed{', 'so '),
        fc.boolean(),
        (value, before, commas) => {
          const written = commas ? value.toLocaleString('en-US') : String(value);
          expect(numberAnswer(`Given 7 and 8.\n${before}${written}`)).toBe(String(value));
        },
      ),
    );
  });
});

describe('choiceAnswer', () => {
  test.each([
    ['B', 'B'],
    ['(b)', 'B'],
    ['b.', 'B'],
    ['**B**', 'B'],
    ['The answer is B.', 'B'],
    ['The correct answer is (c), since a cat is a mammal.', 'C'],
    ['Answer: D) Paris', 'D'],
    ['B) because A is wrong', 'B'],
    ['\\boxed{A}', 'A'],
    ['A cat is a mammal.', undefined],
    ['I think it is a matter of taste', undefined],
  ])('%j is %s', (text, expected) => {
    expect(choiceAnswer('ABCD')(text)).toBe(expected);
  });

  test('refuses letters that are none', () => {
    expect(() => choiceAnswer('A')).toThrow(/letters/);
    expect(() => choiceAnswer('1234')).toThrow(/letters/);
  });
});

describe('labelAnswer', () => {
  const label = labelAnswer(['positive', 'negative', 'not negative']);
  test.each([
    ['Positive.', 'positive'],
    ['The label is **negative**', 'negative'],
    ['Not negative', 'not negative'],
    ['positive or negative', undefined],
    ['neutral', undefined],
    ['', undefined],
  ])('%j is %s', (text, expected) => {
    expect(label(text)).toBe(expected);
  });

  test('refuses labels that are none', () => {
    expect(() => labelAnswer(['one'])).toThrow(/labels/);
    expect(() => labelAnswer(['one', '!'])).toThrow(/labels/);
  });
});

describe('jsonFields', () => {
  test('compares what is asked for, and nothing else', () => {
    const by = jsonFields(['total', 'customer.name']);
    const one = by('{"total": 3.0, "customer": {"name": "Ada Lovelace"}, "note": "a"}');
    expect(one).toBeDefined();
    expect(by('```json\n{"customer":{"name":"ada  lovelace"},"total":"3"}\n```')).toBe(one);
    expect(by('{"total": 4, "customer": {"name": "Ada Lovelace"}}')).not.toBe(one);
    expect(by('{"other": 1}')).toBeUndefined();
    expect(by('no JSON')).toBeUndefined();
    expect(() => jsonFields([])).toThrow(/paths/);
  });

  test('property: the order of keys does not matter', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue()), (document) => {
        const reversed = Object.fromEntries(Object.entries(document).toReversed());
        expect(jsonFields()(JSON.stringify(document))).toBe(jsonFields()(JSON.stringify(reversed)));
      }),
    );
  });
});

test('textAnswer sees words only', () => {
  expect(textAnswer('  “It’s 5 o’clock!” ')).toBe('it s 5 o clock');
  expect(textAnswer('ﬁne')).toBe('fine');
  expect(textAnswer(' … ')).toBeUndefined();
});

test('property: any text at all is measured, in finite numbers, and normalised without an error', () => {
  const nasty = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc
      .tuple(
        fc.constantFrom('1', '1,', '1+', '\n', ' ', 'answer is ', '####', '1.', '```', '{"a":', '= '),
        fc.nat(5_000),
      )
      .map(([piece, times]) => piece.repeat(times)),
  );
  fc.assert(
    fc.property(nasty, nasty, (question, text) => {
      expect([...readAnswer(question, text)].every(Number.isFinite)).toBe(true);
      for (const by of [numberAnswer, textAnswer, choiceAnswer(), labelAnswer(['a', 'b']), jsonFields()])
        by(text);
    }),
  );
});
