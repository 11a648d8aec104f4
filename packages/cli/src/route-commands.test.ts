import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { memoryIo } from '../test/memory-io.ts';
import { outcomeLines } from '../test/outcome-lines.ts';
import { runCli } from './run-cli.ts';

let cwd = '';
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'route-'));
  writeFileSync(join(cwd, 'outcomes.jsonl.gz'), gzipSync(outcomeLines(700)));
  writeFileSync(join(cwd, 'few.jsonl'), outcomeLines(60));
  writeFileSync(join(cwd, 'two.jsonl'), outcomeLines(2));
  writeFileSync(join(cwd, 'empty.jsonl'), '');
  writeFileSync(join(cwd, 'one-model.jsonl'), outcomeLines(300, ['small']));
  writeFileSync(
    join(cwd, 'broken.jsonl'),
    `${outcomeLines(3)}{"id": "x", "prompt": "secret", "outcomes": {"small": {"score": NaN}}}\n`,
  );
  writeFileSync(
    join(cwd, 'null.jsonl'),
    `${outcomeLines(3)}{"id": "x", "prompt": "secret", "outcomes": {"small": {"score": null}}}\n`,
  );
  writeFileSync(
    join(cwd, 'routers.mjs'),
    'export const longest = (p) => p.length;\nexport default () => 1;\nexport const n = 3;',
  );
  writeFileSync(join(cwd, 'throws.mjs'), 'throw new Error("no good");');
  writeFileSync(join(cwd, 'nan.mjs'), 'export default () => NaN;');
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const route = async (...argv: string[]): Promise<{ code: number; out: string; err: string }> => {
  const io = memoryIo({ cwd });
  const code = await runCli(['route', ...argv], io);
  return { code, out: io.out(), err: io.err() };
};

describe('synapsekit route', () => {
  test('says what there is, and what each command takes', async () => {
    expect(await route()).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining('Usage: synapsekit route COMMAND'),
    });
    for (const argv of [['--help'], ['-h']]) expect(await route(...argv)).toMatchObject({ code: 0, err: '' });
    for (const name of ['eval', 'train', 'calibrate']) {
      const { code, out } = await route(name, '--help');
      expect(code).toBe(0);
      expect(out).toMatch(new RegExp(`^Usage: synapsekit route ${name} FILE`));
      expect(out.split('\n').filter((line) => line.length > 110)).toEqual([]);
      const io = memoryIo();
      expect(await runCli(['help', 'route', name], io)).toBe(0);
      expect(io.out()).toBe(out);
    }
    const { code, err } = await route('evl');
    expect([code, err]).toEqual([
      2,
      'synapsekit route has no command "evl". Did you mean "eval"?\nTry: synapsekit route --help\n',
    ]);
  });

  test('train, calibrate, eval: the whole loop', async () => {
    const trained = await route('train', 'outcomes.jsonl.gz', '-o', 'model.json', '--rows', '300');
    expect(trained).toMatchObject({ code: 0, err: '' });
    expect(trained.out).toMatch(/^Trained on 300 rows: small \(0\.\d+\), large \(0\.\d+\)$/m);
    expect(trained.out).toMatch(
      /^Rows held out \(10 parts\): APGR 0\.\d+ \[.*\], prompt length 0\.\d+, ahead by \+0\./m,
    );
    expect(trained.out).toMatch(/^Wrote model\.json \(\d+\.\d KB\)\.$/m);
    const first = readFileSync(join(cwd, 'model.json'), 'utf8');
    expect(first.length).toBeLessThan(64 * 1_024);
    await route('train', 'outcomes.jsonl.gz', '-o', 'again.json', '--rows', '300');
    expect(readFileSync(join(cwd, 'again.json'), 'utf8')).toBe(first);

    const calibrated = await route(
      'calibrate',
      'outcomes.jsonl.gz',
      '-m',
      'model.json',
      '--keep',
      '0.9',
      '-o',
      'promise.json',
    );
    expect(calibrated).toMatchObject({ code: 0, err: '' });
    expect(calibrated.out).toMatch(
      /^Promise: at least 90\.0 % of the quality of large; 95\.0 % sure, from \d+ fresh rows\.$/m,
    );
    expect(calibrated.out).toMatch(/^The guarantee costs \d+\.\d % more strong calls; without it /m);
    expect(readFileSync(join(cwd, 'model.json'), 'utf8')).toBe(first);
    const share = await route(
      'calibrate',
      'outcomes.jsonl.gz',
      '-m',
      'promise.json',
      '--max-strong-share',
      '0.4',
      '--json',
    );
    expect(JSON.parse(share.out)).toMatchObject({
      version: 1,
      output: 'promise.json',
      promise: { kind: 'share', maxStrongShare: 0.4 },
      confidence: 0.95,
    });

    const measured = await route(
      'eval',
      'outcomes.jsonl.gz',
      '-r',
      'model.json,routers.mjs',
      '--html',
      'report.html',
      '--draws',
      '100',
    );
    expect(measured).toMatchObject({ code: 0, err: '' });
    expect(measured.out).toMatch(/^random +0\.500 +50\.0 +80\.0/m);
    expect(measured.out).toMatch(/^oracle +[01]\.\d+ \[/m);
    expect(measured.out).toMatch(
      /^model: better than prompt length \(0\.\d+\) on \d+ fresh rows \(trained on \d+\)\.$/m,
    );
    expect(measured.out).toMatch(/^routers: worthless here: /m);
    expect(measured.out).toMatch(/^longest: worthless here: /m);
    expect(measured.out.split('\n').filter((line) => line.length > 170)).toEqual([]);
    const html = readFileSync(join(cwd, 'report.html'), 'utf8');
    expect(html).toContain('<svg');
    expect(html).not.toMatch(/<script|https?:|theorem/);
  });

  test('eval --json is JSON and nothing else, and --fail-under decides the exit code', async () => {
    const { code, out, err } = await route(
      'eval',
      'outcomes.jsonl.gz',
      '--json',
      '--draws',
      '50',
      '--fail-under',
      'length',
    );
    expect([code, err]).toEqual([0, '']);
    const report = JSON.parse(out) as {
      version: number;
      routers: { name: string; verdict: string }[];
      failures: string[];
    };
    expect(report).toMatchObject({ version: 1, rows: 700, costUnit: 'usd', failures: [] });
    expect(report.routers.map(({ name }) => name)).toEqual([
      'random',
      'prompt length',
      'best single (large)',
      'oracle',
      'learned (held out)',
    ]);
    const worse = await route(
      'eval',
      'outcomes.jsonl.gz',
      '-r',
      'routers.mjs',
      '--no-learned',
      '--draws',
      '50',
      '--fail-under',
      'length',
    );
    expect(worse.code).toBe(1);
    expect(worse.err).toMatch(
      /^longest is under the limit: the lower bound of its APGR, 0\.\d+, is not above /m,
    );
    const higher = await route(
      'eval',
      'outcomes.jsonl.gz',
      '--draws',
      '50',
      '--fail-under',
      '0.99',
      '--json',
    );
    expect(higher.code).toBe(1);
    expect((JSON.parse(higher.out) as { failures: string[] }).failures).toHaveLength(1);
    const nobody = await route(
      'eval',
      'outcomes.jsonl.gz',
      '--draws',
      '50',
      '--no-learned',
      '--fail-under',
      '0.5',
    );
    expect([nobody.code, nobody.err]).toEqual([1, 'There is no router to judge: name one with --router.\n']);
  });

  test.each([
    [['eval', 'nothing.jsonl'], 'nothing.jsonl: it cannot be read: there is no such file.'],
    [['eval', 'empty.jsonl'], 'there is no row in it. Log outcomes first'],
    [['eval', 'two.jsonl'], '2 rows have a score for every model; an evaluation needs 50'],
    [['eval', 'one-model.jsonl'], 'There is only one model (small): nothing to route.'],
    [['eval', 'broken.jsonl'], 'broken.jsonl:4: this is no JSON'],
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
    [['calibrate', 'few.jsonl', '-m', 'few.jsonl', '--keep', '0.9'], 'few.jsonl: it is no JSON.'],
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

  test('a prompt of ten megabytes is a prompt like any other', async () => {
    const outcomes = { small: { score: 0, costUsd: 0.1 }, large: { score: 1, costUsd: 0.2 } };
    const huge = JSON.stringify({ id: 'huge', prompt: 'prove it '.repeat(1_200_000), outcomes });
    writeFileSync(join(cwd, 'huge.jsonl'), `${huge}\n${outcomeLines(250)}`);
    const trained = await route('train', 'huge.jsonl', '-o', 'huge.json', '--rows', '200');
    expect(trained).toMatchObject({ code: 0, err: '' });
    const { code, out } = await route('eval', 'huge.jsonl', '-r', 'huge.json', '--draws', '50');
    expect([code, out.split('\n')[0]]).toEqual([0, expect.stringContaining('251 rows')]);
  });

  test('costs that are missing for one model are asked for, and can be given', async () => {
    writeFileSync(join(cwd, 'uncosted.jsonl'), outcomeLines(80, ['small', 'large'], ['large']));
    const refused = await route('eval', 'uncosted.jsonl', '--no-learned', '--draws', '50');
    expect([refused.code, refused.err]).toEqual([
      2,
      expect.stringContaining('small has no cost in 80 of 80 rows'),
    ]);
    const { code, out } = await route(
      'eval',
      'uncosted.jsonl',
      '--no-learned',
      '--draws',
      '50',
      '--cost',
      'small=0.0002',
    );
    expect(code).toBe(0);
    expect(out).toMatch(/^small +weak .* \$0\.0002$/m);
  });

  test('shows on a terminal how far it is, and leaves no file when it is interrupted', async () => {
    const controller = new AbortController();
    let shown = '';
    const io = memoryIo({
      cwd,
      signal: controller.signal,
      stderr: {
        isTTY: true,
        columns: 60,
        write(text) {
          shown += text;
          if (shown.includes('validate')) controller.abort();
        },
      },
    });
    expect(await runCli(['route', 'train', 'outcomes.jsonl.gz', '-o', 'x.json'], io)).toBe(130);
    expect(shown).toContain('Interrupted: nothing was written.');
    expect(shown).toContain('\r\u001b[2K  0 % · validate');
    expect(existsSync(join(cwd, 'x.json'))).toBe(false);
  });
});
