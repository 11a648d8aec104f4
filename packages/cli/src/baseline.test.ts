import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CaseResult, evalCase, planCase, type RunResult, runCases } from '@synapsekit/eval';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { compareWith, formatComparison, readBaseline, saveBaseline } from './baseline.ts';

let cwd = '';
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'synapsekit-baseline-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

/** A run whose cases cost what is said; `undefined`: nobody knows. */
async function run(costs: Readonly<Record<string, string | undefined>>): Promise<RunResult> {
  const cases = Object.keys(costs).map((name) => evalCase(name, ({ expect: its }) => its(1).toBe(1)));
  const result = await runCases(cases.map(planCase));
  const priced = result.cases.map((each): CaseResult => {
    const usd = costs[each.name];
    const missingCalls = usd === undefined ? 1 : 0;
    return { ...each, cost: { ...each.cost, usd: usd ?? '0', calls: 1, missingCalls } };
  });
  return { ...result, cases: priced };
}

const rules = { tolerancePercent: 5, allowRemoved: false };

test('what costs more than it may, is gone, or has no known cost any more is worse', async () => {
  saveBaseline('main', await run({ a: '0.10', b: '0.10', free: '0', gone: '1', lost: '0.01' }), cwd);
  const now = await run({ a: '0.105', b: '0.106', free: '0.000000000001', fresh: '9', lost: undefined });
  const comparison = compareWith(readBaseline('main', cwd), now, rules);
  expect(comparison).toMatchObject({
    baseline: 'main',
    beforeUsd: '0.2',
    nowUsd: '0.211000000001',
    added: ['fresh'],
    regressions: [
      'b: $0.10 → $0.106 (+6 %)',
      'free: $0.00 → $0.000000000001',
      'lost: its cost was known, $0.01',
      'gone: it is gone',
    ],
  });
  expect(formatComparison(comparison)).toContain(
    'compared with main: $0.20 → $0.211 (+5.5 %), 1 new\n  worse: b: ',
  );
  expect(
    compareWith(readBaseline('main', cwd), now, { tolerancePercent: 6, allowRemoved: true }).regressions,
  ).toEqual(['free: $0.00 → $0.000000000001', 'lost: its cost was known, $0.01']);
});

test('what did not run is no part of it', async () => {
  const before = await run({ a: '0.1', b: '0.1' });
  const stopped = { ...before, cases: before.cases.map((each) => ({ ...each, status: 'not-run' as const })) };
  saveBaseline('main', before, cwd);
  expect(compareWith(readBaseline('main', cwd), stopped, rules)).toMatchObject({
    regressions: [],
    nowUsd: '0',
  });
  saveBaseline('empty', stopped, cwd);
  expect(readBaseline('empty', cwd).cases).toEqual([]);
});

test('a foreign file is refused, and so is a name that leads elsewhere', async () => {
  saveBaseline('main', await run({ a: '0.1' }), cwd);
  const path = join(cwd, '.synapsekit/baselines/main.json');
  const text = readFileSync(path, 'utf8');
  mkdirSync(join(cwd, '.synapsekit/baselines'), { recursive: true });
  for (const foreign of [
    text.replace('"version": 1', '"version": 2'),
    text.replace('0.1', 'cheap'),
    '[]',
    '{',
    '',
  ]) {
    writeFileSync(path, foreign);
    expect(() => readBaseline('main', cwd), foreign).toThrow('is no baseline of this version of synapsekit');
  }
  expect(() => readBaseline('none', cwd)).toThrow('--save-baseline none makes it');
  expect(() => readBaseline('../x', cwd)).toThrow('made of letters');
});

test('what passed and is left out now is worse, unless that is allowed', async () => {
  const before = await run({ a: '0.1', b: '0.1', c: '0.1' });
  saveBaseline('main', before, cwd);
  const [a, b, c] = before.cases as [CaseResult, CaseResult, CaseResult];
  const now = { cases: [a, { ...b, status: 'skipped' as const }, { ...c, status: 'todo' as const }] };
  const baseline = readBaseline('main', cwd);
  const worse = ['b: it passed, and is skipped now', 'c: it passed, and is to do now'];
  expect(compareWith(baseline, now, rules).regressions).toEqual(worse);
  // A part of the cases was selected, and these were in it.
  expect(compareWith(baseline, now, { ...rules, onlySome: true }).regressions).toEqual(worse);
  expect(compareWith(baseline, now, { ...rules, allowRemoved: true }).regressions).toEqual([]);
  // What failed before is no worse when it is left out.
  saveBaseline('red', { ...before, cases: before.cases.map((each) => ({ ...each, status: 'failed' })) }, cwd);
  expect(compareWith(readBaseline('red', cwd), now, rules).regressions).toEqual([]);
});
