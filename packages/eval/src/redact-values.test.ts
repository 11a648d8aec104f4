import { describe, expect, test } from 'vitest';
import { evalCase } from './eval-case.ts';
import { redactValues } from './redact-values.ts';
import { runCase } from './run-cases.ts';
import { secretsOf } from './tape/secret-scan.ts';

const env = {
  ACME_API_KEY: 'hunter2-plain',
  ACME_TOKEN: 'pass.w(rd',
  DB_PASSWORD: 'pass.w(rd-and-more',
  SHORT_SECRET: 'short',
  HOME_TOKEN: '/ada/token',
  PATH: 'hunter2-plain-path',
};

describe('redactValues', () => {
  const redact = redactValues(secretsOf(env));

  test('takes the values of secrets out, the longest first, wherever they stand', () => {
    expect(redact({ a: ['x hunter2-plain y'], b: { c: 'pass.w(rd-and-more pass.w(rd' }, n: 1 })).toEqual({
      a: ['x [the value of ACME_API_KEY] y'],
      b: { c: '[the value of DB_PASSWORD] [the value of ACME_TOKEN]' },
      n: 1,
    });
  });

  test('leaves short values, paths and everything else as they are', () => {
    const plain = { text: 'short /ada/token pass-w(rd', list: [1n, null, undefined, true] };
    expect(redact(plain)).toBe(plain);
    expect(redactValues({})('hunter2-plain')).toBe('hunter2-plain');
  });

  test('no result of a run says them: errors, causes, details, outputs', async () => {
    const crash = evalCase('crashes', () => {
      throw new Error('refused hunter2-plain', { cause: new Error('also pass.w(rd') });
    });
    const judged = evalCase(
      'is judged',
      { metrics: [{ name: 'quotes', evaluate: () => ({ pass: false, detail: 'got hunter2-plain' }) }] },
      () => 'the answer is hunter2-plain',
    );
    const results = [
      await runCase(crash, { secrets: secretsOf(env) }),
      await runCase(judged, { secrets: secretsOf(env) }),
    ];
    expect(results[0]?.error).toMatchObject({
      message: 'refused [the value of ACME_API_KEY]',
      cause: { message: 'also [the value of ACME_TOKEN]' },
    });
    expect(results[1]).toMatchObject({
      output: 'the answer is [the value of ACME_API_KEY]',
      metrics: [{ detail: 'got [the value of ACME_API_KEY]' }],
    });
    expect(JSON.stringify(results)).not.toMatch(/hunter2|pass\.w/);
  });
});
