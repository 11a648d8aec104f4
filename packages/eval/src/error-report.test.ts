import { describe, expect, test } from 'vitest';
import { reportError } from './error-report.ts';

describe('reportError', () => {
  test('keeps words, causes and the frames of the user, and nothing else that the error carries', () => {
    const error = Object.assign(new TypeError('boom', { cause: new Error('the reason') }), {
      headers: { authorization: 'secret' },
    });
    const report = reportError(error);
    expect(report).toMatchObject({ name: 'TypeError', message: 'boom', cause: { message: 'the reason' } });
    expect(report.stack[0]).toContain('error-report.test.ts');
    expect(report.stack.join('')).not.toContain('node:');
    expect(JSON.stringify(report)).not.toContain('secret');
  });

  test('repeats no key', () => {
    const { message, cause } = reportError(
      new Error('no such key: sk-proj-abcdefghijklmnop0123', {
        cause: new Error('Bearer abcdefghijklmnopqrstuvwxyz'),
      }),
    );
    expect(message).toBe('no such key: [an API key]');
    expect(cause?.message).toBe('[a bearer token]');
    expect(reportError('gsk_abcdefghijklmnop0123').message).toBe(
      '[an API key] was thrown, which is no Error.',
    );
  });

  test('repeats no part of a key either, however long the text around it is', () => {
    const key = `sk-proj-${'a1B2'.repeat(40)}`;
    for (let before = 3_900; before < 4_000; before += 7) {
      const error = new Error(`${'x '.repeat(before / 2)}${key}${' y'.repeat(2_000)}`);
      for (const { message } of [reportError(error), reportError(error.message)]) {
        expect(message.length).toBeLessThan(4_100);
        expect(message).not.toMatch(/a1B2/);
      }
    }
    // The end of a long text is shown as well, and must not begin in the middle of a key.
    for (let after = 1_100; after < 1_400; after += 7) {
      const { message } = reportError(new Error(`${'x '.repeat(4_000)}${key} ${'y'.repeat(after)}`));
      expect(message).not.toMatch(/a1B2/);
    }
    const named = Object.assign(new Error('x'), { name: `Error of ${key}` });
    expect(reportError(named).name).toBe('Error of [an API key]');
  });

  test('survives everything that can be thrown', () => {
    const circular = new Error('round');
    circular.cause = circular;
    const hostile = new Proxy(
      {},
      {
        get: () => {
          throw new Error('no');
        },
      },
    );
    const noText = {
      [Symbol.toPrimitive]: () => {
        throw new Error('no');
      },
    };
    for (const thrown of [
      undefined,
      null,
      'text',
      42n,
      Symbol('s'),
      {},
      circular,
      hostile,
      noText,
      Object.create(null),
    ]) {
      expect(() => JSON.stringify(reportError(thrown))).not.toThrow();
      expect(reportError(thrown).message).not.toBe('');
    }
    expect(reportError('text').message).toBe('text was thrown, which is no Error.');
    expect(reportError(new Error('x'.repeat(100_000))).message.length).toBeLessThan(5_000);
  });
});
