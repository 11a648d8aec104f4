import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { memoryIo } from '../test/memory-io.ts';
import { outcomeLines } from '../test/outcome-lines.ts';
import { type RouteRun, routeFolder, routeIn } from '../test/route-folder.ts';
import { roundTicks } from './route-chart.ts';
import { runCli } from './run-cli.ts';

let cwd = '';
beforeAll(() => {
  cwd = routeFolder();
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const route = (...argv: string[]): Promise<RouteRun> => routeIn(cwd, argv);

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
    expect(measured.out).toMatch(/^random +700 +0\.500 +50\.0 +80\.0/m);
    expect(measured.out).toMatch(/^oracle +700 +[01]\.\d+ \[/m);
    expect(measured.out).toMatch(/^model: better than prompt length \(0\.\d+ on the same \d+ rows\)\.$/m);
    // How many it was trained on is what its file says, not what its rough memory takes for seen.
    const [, fresh, excluded] =
      /^ {2}measured on (\d+) of 700 rows; about (\d+) were left out .*\(it was trained on 300; /m.exec(
        measured.out,
      ) ?? [];
    expect(Number(excluded)).toBeGreaterThanOrEqual(300);
    expect(Number(excluded) + Number(fresh)).toBe(700);
    expect(measured.out).toMatch(new RegExp(`^model +${fresh} `, 'm'));
    expect(measured.out).toMatch(/^prompt length +700 /m);
    expect(measured.out).toMatch(/^routers: worthless here: /m);
    expect(measured.out).toMatch(/^longest: worthless here: /m);
    expect(measured.out.split('\n').filter((line) => line.length > 170)).toEqual([]);
    const html = readFileSync(join(cwd, 'report.html'), 'utf8');
    expect(html).toContain('<svg');
    expect(html).not.toMatch(/<script|https?:|theorem/);
    expect(html).toContain(`on the same ${fresh} rows`);
    expect(html).toContain("% of the best model's cost");
    expect(html).toMatch(/Its curve ends at \$0\.\d+ per query: paying for more gains nothing\./);
  });

  test('eval measures a cascade where the file holds the answers', async () => {
    const lines = outcomeLines(300).replace(
      /"score":([01]),/g,
      (score, right) =>
        `${score}"response":"${right === '1' ? 'It is so.' : 'It may be, or not, I am not'}",`,
    );
    writeFileSync(join(cwd, 'answered.jsonl'), lines);
    const measured = await route('eval', 'answered.jsonl', '--draws', '20');
    expect(measured).toMatchObject({ code: 0, err: '' });
    expect(measured.out).toMatch(/^cascade \(held out\) +300 +[01]\.\d+ \[/m);
    expect(measured.out).toMatch(/^cascade \(held out\): better than prompt length /m);
    const without = await route('eval', 'answered.jsonl', '--draws', '20', '--no-cascade');
    expect(without.out).toContain('learned (held out)');
    expect(without.out).not.toContain('cascade');
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
      'length tiers',
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

  test('without costs all shares are of strong calls, and a promise of cost asks for the flag', async () => {
    writeFileSync(join(cwd, 'free.jsonl'), outcomeLines(500, ['small', 'large'], []));
    await route('train', 'free.jsonl', '-o', 'free.json', '--rows', '250');
    const refused = await route('calibrate', 'free.jsonl', '-m', 'free.json', '--max-cost-usd', '0.002');
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('--cost MODEL=USD')]);
    const argv = ['--no-learned', '--draws', '50', '--html', 'free.html'];
    const { out } = await route('eval', 'free.jsonl', ...argv);
    const html = readFileSync(join(cwd, 'free.html'), 'utf8');
    for (const text of [out, html]) {
      expect(text).toContain('"to 90 %": % of strong calls');
      expect(text).not.toContain("best model's cost");
    }
    expect(html).toMatch(/Its curve ends at \d+ % strong calls/);
  });

  test('where the better model is the cheaper one, eval says that there is nothing to route', async () => {
    const { code, out } = await route(
      'eval',
      'dominated.jsonl',
      '--no-learned',
      '--draws',
      '50',
      '--html',
      'd.html',
    );
    expect(code).toBe(0);
    expect(out).toMatch(/^small is dominated: large is no dearer and no worse\. Drop it\.$/m);
    expect(out).toMatch(/^There is nothing to route between small and large: always take large\.$/m);
    expect(readFileSync(join(cwd, 'd.html'), 'utf8')).toContain(
      'There is nothing to route between small and large',
    );
  });

  test('a promise that the cheap model keeps alone needs no router, and it says so', async () => {
    await route('train', 'outcomes.jsonl.gz', '-o', 'base.json', '--rows', '250');
    const { code, out } = await route(
      'calibrate',
      'outcomes.jsonl.gz',
      '-m',
      'base.json',
      '--keep',
      '0.3',
      '-o',
      'y.json',
    );
    expect(code).toBe(0);
    expect(out).toContain('small alone keeps it: for so little no router is needed.');
    expect(out).not.toContain('every other time');
  });

  test('axes have round ticks that enclose what is drawn', () => {
    expect(roundTicks(0.614, 0.945)).toEqual([0.6, 0.7, 0.8, 0.9, 1]);
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 1e-6, max: 10, noNaN: true }),
        (low, size) => {
          const ticks = roundTicks(low, low + size);
          expect(ticks[0]).toBeLessThanOrEqual(low + size * 1e-6);
          expect(ticks.at(-1)).toBeGreaterThanOrEqual((low + size) * (1 - 1e-9) - size * 1e-6);
          expect(ticks.length).toBeGreaterThanOrEqual(3);
          expect(ticks.length).toBeLessThanOrEqual(8);
        },
      ),
    );
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
