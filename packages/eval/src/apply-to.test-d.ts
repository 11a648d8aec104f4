import { assertType, expectTypeOf, test } from 'vitest';
import { type CaseNames, EvalSuite, evalCase, MaxCostUSD, type Metric } from './index.ts';

const cheap = evalCase('cheap', () => ({ output: 'a', tokens: 1 }));
const blocks = evalCase('blocks', () => ({ output: 'b', tokens: 2 }));

test('a suite knows the names of its cases', () => {
  expectTypeOf(cheap.name).toEqualTypeOf<'cheap'>();
  const suite = new EvalSuite({ cases: [cheap, blocks] });
  expectTypeOf<CaseNames<[typeof cheap, typeof blocks]>>().toEqualTypeOf<'cheap' | 'blocks'>();
  expectTypeOf(suite).toMatchTypeOf<{ readonly cases: readonly unknown[] }>();
});

test('applyTo names cases of the suite, and no others', () => {
  new EvalSuite({ cases: [cheap, blocks], metrics: [new MaxCostUSD({ threshold: 1, applyTo: ['cheap'] })] });
  new EvalSuite({
    cases: [cheap, blocks],
    // @ts-expect-error There is no case of that name.
    metrics: [new MaxCostUSD({ threshold: 1, applyTo: ['cheep'] })],
  });
});

test('a metric of the user’s own sees the value that the cases return', () => {
  new EvalSuite({
    cases: [cheap, blocks],
    metrics: [
      {
        name: 'few-tokens',
        applyTo: ['blocks'],
        evaluate: ({ value }) => {
          expectTypeOf(value.tokens).toBeNumber();
          return { pass: value.tokens < 5 };
        },
      },
    ],
  });
  assertType<Metric<'cheap'>>({ name: 'x', applyTo: ['cheap'], evaluate: () => ({ pass: true }) });
  // @ts-expect-error Not a name of this metric's cases.
  assertType<Metric<'cheap'>>({ name: 'x', applyTo: ['blocks'], evaluate: () => ({ pass: true }) });
});
