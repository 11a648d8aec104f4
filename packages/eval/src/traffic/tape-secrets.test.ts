import { readFile } from 'node:fs/promises';
import type { LedgerStore } from '@synapsekit/core';
import { faults, ManualClock } from '@synapsekit/testing';
import { ModelLedger } from '@synapsekit/testing/contracts';
import { expect, test } from 'vitest';
import { contextOf, TrafficLab } from '../../test/traffic-run.ts';
import { secretsOf } from '../tape/secret-scan.ts';
import type { TapeOptions } from './traffic-options.ts';

const secret = 'correct-horse-battery';

/** Records one question; the key of the request is a secret, too. */
async function record(lab: TrafficLab, content: string, tapes: TapeOptions = {}): Promise<string> {
  const traffic = lab.traffic({ mode: 'record', tapes });
  const context = contextOf();
  await traffic.run(context, async () => {
    const response = await traffic.fetch(`${lab.sim.openaiBaseURL}/chat/completions?api_key=${secret}&v=1`, {
      method: 'POST',
      headers: { authorization: 'Bearer key-of-the-request-itself', 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content }] }),
    });
    await response.text();
  });
  traffic.report(context);
  try {
    await traffic.close();
    return 'written';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const tapeOf = (lab: TrafficLab): Promise<string> => readFile(lab.tapePath, 'utf8').catch(() => '');

test('keys in headers and URLs are never on tape', async () => {
  await using lab = await TrafficLab.open();
  expect(await record(lab, 'Hello')).toBe('written');
  const tape = await tapeOf(lab);
  expect(tape).toContain('/v1/chat/completions?v=1');
  expect(tape).not.toContain(secret);
  expect(tape).not.toContain('key-of-the-request');
});

test('a password in a URL is not on tape, also where fetch repeats it in its error', async () => {
  await using lab = await TrafficLab.open();
  const traffic = lab.traffic({ mode: 'record' });
  const context = contextOf();
  const url = `${lab.sim.openaiBaseURL.replace('//', `//joe:${secret}@`)}/chat/completions`;
  const body = JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Hello' }] });
  await traffic.run(context, () =>
    expect(traffic.fetch(url, { method: 'POST', body })).rejects.toThrow('includes credentials'),
  );
  traffic.report(context);
  await traffic.close();
  const tape = await tapeOf(lab);
  expect(tape).toContain('includes credentials: http://127.0.0.1');
  expect(tape).not.toContain(secret);
  expect(tape).not.toContain('joe');
});

test.each([
  ['an API key', 'Use sk-proj-abcdEFGH0123456789abcdEFGH please'],
  ['an API key', 'gsk_abcdefghijklmnopqrstuvwxyz012345'],
  ['a key of a cloud', 'AKIAIOSFODNN7EXAMPLE is mine'],
  ['a private key', '-----BEGIN RSA PRIVATE KEY-----\nMIIE'],
  ['a token of a code host', `ghp_${'a1B2'.repeat(9)}`],
  ['a signed token (JWT)', `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.${'dozjgNryP4J3'.repeat(2)}`],
  ['the value of DB_PASSWORD', `the password is ${secret}`],
  ['the key that requests are sent with', 'my key is key-of-the-request-itself'],
])('%s in a prompt keeps the entry from the tape, and is not repeated', async (kind, content) => {
  await using lab = await TrafficLab.open();
  const told = await record(lab, content, { secrets: { DB_PASSWORD: secret } });
  expect(told).toContain(`was not put on tape, because ${kind} is in it`);
  expect(told).toContain('the case "a" (trial 0)');
  expect(told).not.toContain(content);
  expect(await tapeOf(lab)).not.toContain(content.slice(0, 30));
});

test.each(['content', 'reasoning', 'delta'])(
  'a key that a stream spells out in its "%s" is found',
  async (field) => {
    await using lab = await TrafficLab.open();
    const key = 'sk-proj-abcdEFGH0123456789abcdEFGH';
    const pieces = key.match(/.{1,3}/g) ?? [];
    const events = pieces.map((piece) => ({ choices: [{ index: 0, delta: { [field]: piece } }] }));
    const body = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');
    const traffic = lab.traffic({
      mode: 'record',
      fetch: async () => new Response(body, { headers: { 'content-type': 'text/event-stream' } }),
    });
    const context = contextOf();
    await traffic.run(context, async () => {
      const request = { model: 'gpt-4o', stream: true, messages: [{ role: 'user', content: 'Hello' }] };
      const init = { method: 'POST', body: JSON.stringify(request) };
      await (await traffic.fetch(`${lab.sim.openaiBaseURL}/chat/completions`, init)).text();
    });
    traffic.report(context);
    await expect(traffic.close()).rejects.toThrow('was not put on tape, because an API key is in it');
    expect(await tapeOf(lab)).not.toContain('choices');
  },
);

test('a redaction hook takes it out, and replay finds the answer all the same', async () => {
  await using lab = await TrafficLab.open();
  const redact = (text: string): string => text.replaceAll(secret, '***').replaceAll(/\d{2}:\d{2}/g, 'TIME');
  const tapes = { secrets: { DB_PASSWORD: secret }, redact };
  expect(await record(lab, `at 10:15 the password is ${secret}`, tapes)).toBe('written');
  const tape = await tapeOf(lab);
  expect(tape).toContain('at TIME the password is ***');
  const traffic = lab.traffic({ mode: 'replay', tapes });
  const context = contextOf();
  const response = await traffic.run(context, () =>
    traffic.fetch(`${lab.sim.openaiBaseURL}/chat/completions?v=1`, {
      method: 'POST',
      body: JSON.stringify({
        model: 'gpt-4o',
        messages: [{ role: 'user', content: `at 23:59 the password is ${secret}` }],
      }),
    }),
  );
  expect(response.status).toBe(200);
  await traffic.close();
});

test('ids of organisations in error messages are taken out', async () => {
  await using lab = await TrafficLab.open();
  const error = { error: { message: 'Rate limit reached in organization org-AbCd1234EfGh5678 on tokens' } };
  lab.sim.fail(faults.status(429, { body: error, headers: { 'openai-organization': 'acme-inc' } }));
  expect(await record(lab, 'Hello')).toBe('written');
  const tape = await tapeOf(lab);
  expect(tape).toContain('in organization org-redacted on tokens');
  expect(tape).not.toMatch(/acme-inc|AbCd1234/);
});

test('headers that hold credentials cannot be asked for', async () => {
  await using lab = await TrafficLab.open();
  expect(() => lab.traffic({ tapes: { keepHeaders: ['Set-Cookie'] } })).toThrow(/must not name set-cookie/);
});

test('secrets are found by the names of environment variables', () => {
  const env = {
    OPENAI_API_KEY: 'a-key-of-some-length',
    GITHUB_TOKEN: 'token-token-token',
    TOKEN_PATH: '/etc/tokens/of/mine',
    SHORT_KEY: 'short',
    MONKEY: 'not-a-secret-at-all',
    NOTHING: undefined,
  };
  expect(Object.keys(secretsOf(env))).toEqual(['OPENAI_API_KEY', 'GITHUB_TOKEN']);
});

test('a secret that was found keeps neither bookings from being made, nor other failures from being told', async () => {
  await using lab = await TrafficLab.open();
  const ledger = new ModelLedger(new ManualClock());
  let flushed = 0;
  const failing: LedgerStore = {
    unitPico: ledger.unitPico,
    reserve: (request) => ledger.reserve(request),
    post: (request) => ledger.post(request),
    close: (holdId) => ledger.close(holdId),
    renew: (holdId, leaseMs) => ledger.renew(holdId, leaseMs),
    status: (keys) => ledger.status(keys),
    flush() {
      flushed++;
      throw new Error('bookings are lost');
    },
    dispose() {},
  };
  const traffic = lab.traffic({ mode: 'record', budget: { limitUsd: 1, ledger: failing } });
  const context = contextOf();
  await traffic.run(context, async () => {
    const messages = [{ role: 'user', content: 'Use sk-proj-abcdEFGH0123456789abcdEFGH please' }];
    const init = { method: 'POST', body: JSON.stringify({ model: 'gpt-4o', max_tokens: 9, messages }) };
    const headers = { authorization: 'Bearer any' };
    await (await traffic.fetch(`${lab.sim.openaiBaseURL}/chat/completions`, { ...init, headers })).text();
  });
  traffic.report(context);
  const closed = traffic.close();
  await expect(closed).rejects.toThrow(/was not put on tape/);
  await expect(closed).rejects.toThrow(/bookings are lost/);
  expect(flushed).toBe(1);
});
