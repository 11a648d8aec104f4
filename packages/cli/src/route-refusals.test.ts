import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RouteRun, routeFolder, routeIn } from '../test/route-folder.ts';

let cwd = '';
beforeAll(async () => {
  cwd = routeFolder();
  await routeIn(cwd, ['train', 'outcomes.jsonl.gz', '-o', 'base.json', '--rows', '250']);
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const route = (...argv: string[]): Promise<RouteRun> => routeIn(cwd, argv);

describe('what cannot be done is refused', () => {
  test.each([
    [['eval', 'nothing.jsonl'], 'nothing.jsonl: it cannot be read: there is no such file.'],
    [['eval', 'empty.jsonl'], 'there is no row in it. Log outcomes first'],
    [['eval', 'two.jsonl'], '2 rows have a score for every model; an evaluation needs 50'],
    [['eval', 'one-model.jsonl'], 'There is only one model (small): nothing to route.'],
    [['eval', 'broken.jsonl'], 'broken.jsonl:4: this is no JSON'],
    [
      ['train', 'broken.jsonl', '-o', 'x.json'],
      "NaN is no number in JSON: where a score is not known, leave the model's",
    ],
    [['train', 'null.jsonl', '-o', 'x.json'], 'got null (what JSON makes of NaN).'],
    [['train', 'empty.jsonl', '-o', 'x.json'], 'there is no row in it. Log outcomes first'],
    [['train', 'two.jsonl', '-o', 'x.json'], '2 rows have a score for every model; training needs 200'],
    [['train', 'one-model.jsonl', '-o', 'x.json'], 'There is only one model (small): nothing to route.'],
    [
      ['train', 'half-costed.jsonl', '-o', 'x.json'],
      'small has no cost in 300 of 300 rows, others have one.',
    ],
    [['train', 'dominated.jsonl', '-o', 'x.json'], 'small is dominated: it scores'],
    [['calibrate', 'empty.jsonl', '-m', 'base.json', '--keep', '0.9'], 'there is no row in it.'],
    [['calibrate', 'two.jsonl', '-m', 'base.json', '--keep', '0.9'], 'a promise needs 50 at the least'],
    [['calibrate', 'one-model.jsonl', '-m', 'base.json', '--keep', '0.9'], 'No row names the model "large".'],
    [['calibrate', 'null.jsonl', '-m', 'base.json', '--keep', '0.9'], 'got null (what JSON makes of NaN).'],
    [
      ['calibrate', 'half-costed.jsonl', '-m', 'base.json', '--keep', '0.9'],
      'small has no cost in 300 of 300',
    ],
    [
      [
        'calibrate',
        'half-costed.jsonl',
        '-m',
        'base.json',
        '--max-cost-usd',
        '0.0001',
        '--cost',
        'small=0.0002',
      ],
      'cannot be kept: the weak model alone costs $0.0002.',
    ],
    [
      ['calibrate', 'outcomes.jsonl.gz', '-m', 'base.json', '--keep', '1', '-o', 'x.json'],
      'promise a little less',
    ],
    [
      ['eval', 'null.jsonl'],
      'null.jsonl:4: outcomes["small"].score must be a number from 0 to 1, got null (what JSON makes of NaN).',
    ],
    [['eval', 'few.jsonl', '--weak', 'large', '--strong', 'small'], 'Always take large.'],
    [['eval', 'few.jsonl', '--weak', 'tiny'], 'No row names the model "tiny". There are: small, large.'],
    [
      ['eval', 'few.jsonl', '-r', 'empty.jsonl'],
      'a router is a .json file of "route train", or a JavaScript',
    ],
    [['eval', 'few.jsonl', '-r', 'throws.mjs'], 'throws.mjs: it does not load: no good'],
    [['eval', 'few.jsonl', '-r', 'nan.mjs'], 'The router "nan" scored a query NaN: it must be a number.'],
    [
      ['train', 'few.jsonl', '-o', 'x.json'],
      '60 rows have a score for every model; training needs 200 at the least',
    ],
    [
      ['train', 'outcomes.jsonl.gz', '-o', 'x.json', '--rows', '9000'],
      'There are 700 rows with all models, 9000 were asked for.',
    ],
    [
      ['train', 'outcomes.jsonl.gz', '-o', 'no/folder/x.json', '--rows', '200'],
      'no/folder/x.json: it cannot be written (ENOENT).',
    ],
    [
      ['calibrate', 'few.jsonl', '-m', 'none.json', '--keep', '0.9'],
      'none.json: it cannot be read (ENOENT).',
    ],
    [['calibrate', 'few.jsonl', '-m', 'few.jsonl', '--keep', '.9'], 'few.jsonl: it is no JSON.'],
  ])('%j is a sentence and exit code 2', async (argv, message) => {
    const { code, out, err } = await route(...argv);
    expect(err).toContain(message);
    expect(err).not.toMatch(/^ {4}at |secret/m);
    expect([code, out]).toEqual([2, '']);
    expect(existsSync(join(cwd, 'x.json'))).toBe(false);
  });

  test.each([
    [['eval'], 'synapsekit route eval needs a file of outcomes.\nTry: synapsekit route eval --help\n'],
    [['eval', 'a', 'b'], 'takes one file, got 2.'],
    [
      ['eval', 'a', '--fail-under', 'worse'],
      '--fail-under must be "length" or an APGR such as 0.6, got "worse".',
    ],
    [['eval', 'a', '--draws', '3'], '--draws must be a whole number >= 20'],
    [['eval', 'a', '--cost', 'gpt-4o'], '--cost must be MODEL=USD, separated by commas, got "gpt-4o".'],
    [['eval', 'a', '--max-score', '0'], '--max-score must be above 0.'],
    [['train', 'a'], 'needs to know where the model goes: -o model.json.'],
    [['train', 'a', '-o', 'x.json', '--seed', '5000000000'], '--seed must be at most 4294967295'],
    [['train', 'a', '-o', 'x.json', '--proof', 'words'], '--proof must be rows or groups'],
    [['calibrate', 'a', '--keep', '0.9'], 'needs a model: --model model.json.'],
    [['calibrate', 'a', '-m', 'm'], 'What is to be promised?'],
    [['calibrate', 'a', '-m', 'm', '--keep', '0.9', '--max-cost-usd', '1'], 'One promise at a time'],
    [['calibrate', 'a', '-m', 'm', '--keep', '1.5'], '--keep must be above 0 and at most 1, got 1.5.'],
    [
      ['calibrate', 'a', '-m', 'm', '--keep', '0.9', '--confidence', '1'],
      '--confidence must be at most 0.9999',
    ],
  ])('%j is wrong usage', async (argv, message) => {
    const { code, out, err } = await route(...argv);
    expect(err).toContain(message);
    expect([code, out]).toEqual([2, '']);
  });
});
