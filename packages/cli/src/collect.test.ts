import { EvalSuite, evalCase } from '@synapsekit/eval';
import { expect, test } from 'vitest';
import { collect } from './collect.ts';

const make = (name: string) => evalCase(name, () => {});
const names = (modules: Parameters<typeof collect>[0]): string[] =>
  collect(modules).plan.map(({ file, suite, case: { name } }) =>
    [file, suite, name].filter(Boolean).join(' '),
  );

test('takes suites, cases and lists of them; cases in the order of their definition', () => {
  const [first, second, third] = [make('first'), make('second'), make('third')];
  const suite = new EvalSuite({ name: 'suite', cases: [make('inside')] });
  const exports = { a: third, default: suite, list: [second], z: first, other: 42, helper() {} };
  expect(names([{ file: 'x', exports }])).toEqual(['x suite inside', 'x first', 'x second', 'x third']);
  expect(collect([{ file: 'x', exports }]).problems).toEqual([]);
});

test('runs a case of a suite in the suite only, also when another file exports it, and once per suite', () => {
  const shared = make('shared');
  const modules = [
    { file: 'a', exports: { shared } },
    { file: 'b', exports: { shared, suite: new EvalSuite({ name: 'one', cases: [shared] }) } },
    { file: 'c', exports: { suite: new EvalSuite({ name: 'two', cases: [shared] }) } },
  ];
  expect(names(modules)).toEqual(['b one shared', 'c two shared']);
});

test('runs what several files export once, for the first of them', () => {
  const suite = new EvalSuite({ cases: [make('inside')] });
  const alone = make('alone');
  const exports = { suite, alone };
  expect(
    names([
      { file: 'a', exports },
      { file: 'b', exports },
    ]),
  ).toEqual(['a inside', 'a alone']);
});

test('finds fault with a file that exports nothing to run, and with two cases of one name', () => {
  const { problems } = collect([
    { file: 'a', exports: { x: 1 } },
    { file: 'b', exports: { one: make('same'), two: make('same') } },
  ]);
  expect(problems).toEqual([
    expect.stringContaining('a exports no eval case and no suite.'),
    expect.stringContaining('b has two cases called "same".'),
  ]);
});

test('leaves no case out in silence: not in nested lists, objects or promises', () => {
  const ring: unknown[] = [make('in a list in a list')];
  ring.push(ring);
  const exports = {
    deep: [ring],
    byName: { x: make('in an object') },
    get lazy() {
      return { a: make('made by a getter of the module') };
    },
    config: {
      get secret() {
        throw new Error('read');
      },
    },
    late: Promise.resolve(make('unknown')),
  };
  const { plan, problems } = collect([{ file: 'x', exports }]);
  expect(plan.map(({ case: { name } }) => name).sort()).toEqual([
    'in a list in a list',
    'in an object',
    'made by a getter of the module',
  ]);
  expect(problems).toEqual([expect.stringContaining('x exports a promise as late')]);
});
