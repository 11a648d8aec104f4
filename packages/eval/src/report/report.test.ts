import { describe, expect, test } from 'vitest';
import { paidModel } from '../../test/paid-model.ts';
import { evalCase } from '../eval-case.ts';
import { MaxTotalCostUSD } from '../max-total-cost-usd.ts';
import type { RunResult } from '../result.ts';
import { runCases } from '../run-cases.ts';
import { EvalSuite, planCase } from '../suite.ts';
import { escapeXml } from './escape.ts';
import { formatHtml } from './html.ts';
import { plotOf } from './html-plot.ts';
import { formatJUnit } from './junit.ts';

const nasty = `</script><script>alert("1")</script> & 'quotes' \u0000 \ud800 \u2028`;

async function sample(): Promise<RunResult> {
  const model = paidModel({ usd: '0.0312', model: 'gpt-4o' });
  const suite = new EvalSuite({
    name: 'pipeline <1>',
    cases: [
      evalCase('cheap', { maxCostUsd: 0.05, tags: ['a'] }, async () => (await model.generate('x')).text),
      evalCase('dear', { maxCostUsd: 0.01 }, async () => (await model.generate('x')).text),
      evalCase(
        nasty.replaceAll(/\p{Cc}/gu, ''),
        { metrics: [() => ({ pass: false, detail: nasty })] },
        () => nasty,
      ),
      evalCase('crashes', () => {
        throw new Error(nasty);
      }),
      evalCase.skip('later', () => {}),
    ],
    metrics: [new MaxTotalCostUSD({ threshold: 0.05 })],
  });
  return runCases(suite.plan().map((planned) => ({ ...planned, file: 'a.eval.ts' })));
}

describe('JUnit', () => {
  test('has a suite for each file, costs as properties, and every kind of end', async () => {
    const xml = formatJUnit(await sample());
    expect(xml).toMatch(
      /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites name="synapsekit" tests="6" failures="3" errors="1" skipped="1" /,
    );
    expect(xml).toContain('<testsuite name="a.eval.ts › pipeline &lt;1&gt;" tests="5"');
    expect(xml).toContain('<property name="cost_usd" value="0.0312"/>');
    expect(xml).toContain('<property name="calls" value="1"/>');
    expect(xml).toContain('<failure message="MaxCostUSD: $0.0312 &gt; $0.01" type="failed">');
    expect(xml).toContain('<error message="&lt;/script&gt;');
    expect(xml).toContain('<skipped message="skipped"/>');
    expect(xml).toContain('<failure message="MaxTotalCostUSD: $0.0624 &gt; $0.05, 4 of 5 cases"/>');
    expect(xml.match(/<testcase /g)).toHaveLength(6);
  });

  test('says where a case is defined, also when that is another file', async () => {
    const fails = evalCase('fails', ({ expect: own }) => own(1).toBe(2));
    const result = await runCases([{ ...planCase(fails), file: 'other.eval.ts' }]);
    const xml = formatJUnit(result);
    expect(xml).toMatch(/at \S*report\.test\.ts:\d+:\d+/);
    expect(xml).not.toContain('undefined');
  });

  test('is never green for a run that is not ok', async () => {
    const passes = evalCase('passes', ({ expect: own }) => own(1).toBe(1));
    const good = await runCases([planCase(passes)]);
    expect(formatJUnit(good)).not.toMatch(/<error|<failure/);
    const title = 'could not be loaded';
    const error = { name: 'SyntaxError', message: nasty, stack: ['at a.ts:1:1'] };
    const xml = formatJUnit(
      { ...good, ok: false },
      { troubles: [{ title, message: nasty, file: 'b.eval.ts', error }] },
    );
    expect(xml).toMatch(/<testsuites name="synapsekit" tests="2" failures="0" errors="1" skipped="0" /);
    expect(xml).toContain('<testcase name="b.eval.ts: could not be loaded" classname="the run"');
    expect(xml).toMatch(/<error message="&lt;\/script[^>]* type="SyntaxError">[^<]*at a\.ts:1:1<\/error>/);
    const skipped = await runCases([planCase(evalCase.skip('later', () => {}))]);
    expect(skipped.ok).toBe(false);
    expect(formatJUnit(skipped)).toContain('<error message="No case passed: nothing was shown."');
    const over = new AbortController();
    over.abort();
    const stopped = await runCases([planCase(passes)], { signal: over.signal });
    expect(formatJUnit(stopped)).toMatch(
      /<skipped message="the run was interrupted[\s\S]*<error message="1 of the cases did not run/,
    );
  });

  test('what nothing judged is a failure only where it counts as one', async () => {
    const plan = [
      evalCase('asserts', ({ expect: own }) => own(1).toBe(1)),
      evalCase('says nothing', () => 1),
    ].map(planCase);
    expect(formatJUnit(await runCases(plan, { strict: true }))).toContain(
      '<failure message="nothing judged it',
    );
    const loose = formatJUnit(await runCases(plan, { strict: false }));
    expect(loose).not.toMatch(/<failure|<error/);
    expect(loose).toContain('<skipped message="nothing judged it');
  });

  test('is well formed whatever texts are in it', async () => {
    const xml = formatJUnit(await sample());
    // Every tag closes the one that was opened last, and outside of tags stands nothing but escaped text.
    const open: string[] = [];
    for (const [, close, name = '', self] of xml.matchAll(/<(\/?)([a-z]+)(?: [a-z_]+="[^"<]*")*(\/?)>/g)) {
      if (close === '/') expect(open.pop()).toBe(name);
      else if (self !== '/') open.push(name);
    }
    expect(open).toEqual([]);
    expect(xml.replaceAll(/<\/?[a-z?][^<>]*>/g, '')).not.toMatch(/[<>]|&(?!amp;|lt;|gt;|quot;|#\d+;)/);
    expect(escapeXml(`a\u0000b\u001bc\ufffe\ud800\n`)).toBe('a\ufffdb\ufffdc\ufffd\ufffd&#10;');
  });
});

describe('the HTML report', () => {
  test('is one file that loads nothing, and whose data cannot leave its element', async () => {
    const html = formatHtml(await sample(), { title: nasty });
    expect(html).toContain(
      `content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"`,
    );
    expect(html).not.toMatch(/https?:|<link|<img|src=|@import|url\(/);
    expect(html.match(/<\/script>/g)).toHaveLength(2);
    const [, data = ''] = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(html) ?? [];
    const cases = JSON.parse(data) as { name: string; costText: string; calls: unknown[] }[];
    expect(cases.map(({ costText }) => costText)).toEqual(['$0.0312', '$0.0312', '–', '–', '–']);
    expect(cases[0]?.calls).toMatchObject([{ model: 'local/gpt-4o', outcome: 'served', usdText: '$0.0312' }]);
  });

  test('shows what went wrong outside of the cases above all else', async () => {
    const result = { ...(await sample()), ok: false };
    const html = formatHtml(result, { troubles: [{ title: 'interrupted', message: nasty, detail: nasty }] });
    expect(html.indexOf('class="trouble"')).toBeLessThan(html.indexOf('class="figures"'));
    expect(html).toContain('✗ interrupted');
    expect(html.match(/<\/script>/g)).toHaveLength(2);
  });

  test('has a script that is JavaScript', async () => {
    const [, script = ''] = /<script>(.*)<\/script>/s.exec(formatHtml(await sample())) ?? [];
    expect(() => new Function(script)).not.toThrow();
  });

  test('draws bars for few cases, a curve for many, and says when there is nothing', () => {
    const values = Array.from({ length: 1_000 }, (_, n) => ({ name: `${n}`, value: n + 1, bad: n === 3 }));
    const plot = { title: 'T', format: String, nothing: 'nothing there' };
    const few = plotOf({ ...plot, values: values.slice(0, 5) });
    expect(few.match(/<rect/g)).toHaveLength(5);
    expect(few).toContain('least 1 · median 3 · p95 5 · most 5');
    const many = plotOf({ ...plot, values });
    expect(many).toContain('<polyline');
    expect(many).toContain('logarithmic');
    expect(many.match(/<circle/g)).toHaveLength(1);
    expect(many.length).toBeLessThan(20_000);
    expect(plotOf({ ...plot, values: [] })).toContain('nothing there');
    expect(many + few).not.toMatch(/NaN|Infinity|undefined/);
  });
});
