import { ConfigError } from '@synapsekit/core';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { Equals } from './equals.ts';
import { evalCase } from './eval-case.ts';
import { runCases } from './run-cases.ts';
import { positionOf } from './source-position.ts';
import { EvalSuite, planCase } from './suite.ts';

const capitals = [
  { country: 'France', capital: 'Paris', id: 'fr' },
  { country: 'Peru', capital: 'Lima', id: 'pe' },
] as const;

describe('evalCase.each', () => {
  test('makes a case of each row, whose names are types where the rows say them', async () => {
    const cases = evalCase.each(capitals)(
      (row) => row.id,
      (row) => ({ metrics: [new Equals({ expected: row.capital })] }),
      ({ country }) => ({ output: country === 'France' ? 'Paris' : 'Cusco' }),
    );
    expectTypeOf(cases[0]?.name).toEqualTypeOf<'fr' | 'pe' | undefined>();
    const { cases: results } = await runCases(cases.map(planCase));
    expect(results.map(({ name, status }) => [name, status])).toEqual([
      ['fr', 'passed'],
      ['pe', 'failed'],
    ]);
    new EvalSuite({ cases, metrics: [new Equals({ expected: 1, applyTo: ['fr'] })] });
    // @ts-expect-error: no row is called so
    expect(() => new EvalSuite({ cases, metrics: [new Equals({ expected: 1, applyTo: ['xx'] })] })).toThrow(
      'no such case',
    );
  });

  test('fills fields of the row, and its index, into a name', () => {
    const rows = [
      { a: 1, in: { b: 'x\ny' } },
      { a: 2, in: { b: 'z' } },
    ];
    const cases = evalCase.each(rows)('$index: $a, $in.b', () => 1);
    expect(cases.map(({ name }) => name)).toEqual(['0: 1, x y', '1: 2, z']);
    expect(
      evalCase
        .each(['a', 'b'])('row $row', () => 1)
        .map(({ name }) => name),
    ).toEqual(['row a', 'row b']);
    expect(() => evalCase.each(rows)('$c', () => 1)).toThrow('Row 0 of the dataset has no "c"');
  });

  test('takes anything iterable, also asynchronously', async () => {
    async function* slow(): AsyncGenerator<number> {
      yield 1;
      await null;
      yield 2;
    }
    const cases = await evalCase.each(slow())('number $row', (row, { expect: its }) =>
      its(row).toBeLessThan(2),
    );
    const { cases: results } = await runCases(cases.map(planCase));
    expect(results.map(({ status }) => status)).toEqual(['passed', 'failed']);
    expect(evalCase.each(new Set([1, 2, 3]))('$row', () => 1)).toHaveLength(3);
  });

  test('gives all cases the place where they were made', () => {
    const [first] = evalCase.each([1])('x $row', () => 1);
    const alone = evalCase('alone', () => 1);
    expect(positionOf(first?.stack)).toMatchObject({ path: import.meta.filename });
    expect(positionOf(alone.stack)?.line).toBe((positionOf(first?.stack)?.line ?? 0) + 1);
  });

  test('refuses no rows, two rows of one name, and what is no dataset', async () => {
    expect(() => evalCase.each([])('x', () => 1)).toThrow('has no rows');
    expect(() => evalCase.each([1, 2, 1])('x $row', () => 1)).toThrow(
      'Rows 0 and 2 of the dataset both make',
    );
    expect(() => evalCase.each(5 as never)).toThrow(ConfigError);
    expect(() => evalCase.each([1])('x', undefined as never)).toThrow(ConfigError);
    async function* broken(): AsyncGenerator<number> {
      yield 1;
      throw new Error('the file ends here');
    }
    await expect(evalCase.each(broken())('x', () => 1)).rejects.toThrow('the file ends here');
  });
});

describe('how a case takes part', () => {
  test('is said by skip, only, todo, or an option', () => {
    expect(evalCase.skip('a', () => 1)).toMatchObject({ mode: 'skip' });
    expect(evalCase('b', { skip: 'not yet' }, () => 1)).toMatchObject({
      mode: 'skip',
      skipReason: 'not yet',
    });
    expect(evalCase('b', { skip: false }, () => 1)).toMatchObject({ mode: 'run' });
    expect(evalCase.only('c', () => 1)).toMatchObject({ mode: 'only' });
    expect(evalCase('c', { only: true }, () => 1)).toMatchObject({ mode: 'only' });
    expect(evalCase.todo('d')).toMatchObject({ mode: 'todo' });
    expectTypeOf(evalCase.todo('d').name).toEqualTypeOf<'d'>();
  });

  test('is refused where it makes no sense', () => {
    expect(() => evalCase('x', { retry: -1 }, () => 1)).toThrow(ConfigError);
    expect(() => evalCase('x', { trials: 0 }, () => 1)).toThrow(ConfigError);
    expect(() => evalCase('x', { trials: 2, retry: 1 }, () => 1)).toThrow('both retry and trials');
  });
});
