import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { faults, ManualClock } from '@synapsekit/testing';
import OpenAI from 'openai';
import { expect, test } from 'vitest';
import { contextOf, TrafficLab } from '../../test/traffic-run.ts';
import type { TrafficContext, TrafficReport } from '../traffic-control.ts';
import type { ProviderTrafficOptions } from './traffic-options.ts';

/** Asks one question in a run of its own. */
async function ask(
  lab: TrafficLab,
  question: string,
  options: ProviderTrafficOptions,
  facts: Partial<TrafficContext> = {},
): Promise<{ text: string; report: TrafficReport | undefined }> {
  const traffic = lab.traffic(options);
  const client = new OpenAI({
    baseURL: lab.sim.openaiBaseURL,
    apiKey: 'any',
    fetch: traffic.fetch,
    maxRetries: 0,
  });
  const context = contextOf(facts);
  const text = await traffic.run(context, async () => {
    try {
      const { choices } = await client.chat.completions.create({
        model: 'gpt-4o',
        messages: [
          { role: 'system', content: 'You are a kind teacher of geography. Answer in one sentence.' },
          { role: 'user', content: question },
        ],
      });
      return choices[0]?.message.content ?? '';
    } catch (error) {
      return String(error);
    }
  });
  const report = traffic.report(context);
  await traffic.close();
  return { text, report };
}

test('a miss fails at once, without the network, and shows the nearest tape and the difference', async () => {
  await using lab = await TrafficLab.open();
  await ask(lab, 'What is the capital of France?', { mode: 'record' });
  await ask(lab, 'Where do storks sleep?', { mode: 'record' }, { name: 'b' });
  const { text, report } = await ask(lab, 'What is the capital of Spain?', { mode: 'replay' });
  expect(text).toContain('400');
  expect(report?.stop).toEqual({
    kind: 'replay-miss',
    message:
      'no tape has this POST /v1/chat/completions (__tapes__/a.eval.ts.jsonl). Record it: synapsekit test --record',
    detail: [
      'nearest: POST /v1/chat/completions of "a", trial 0, request 1',
      '  - messages[1].content: "What is the capital of France?"',
      '  + messages[1].content: "What is the capital of Spain?"',
    ].join('\n'),
  });
  expect(text).not.toContain('Spain');
  expect(lab.sim.requests).toHaveLength(2);
  expect(report).toMatchObject({ requests: 0, billedUsd: '0' });
});

test('the difference repeats no key, and no part of one', async () => {
  await using lab = await TrafficLab.open();
  const key = `sk-proj-${'a1B2'.repeat(40)}`;
  await ask(lab, 'Hello', { mode: 'record' });
  for (const question of [
    `${key} is my key`,
    `Hello, ${'x'.repeat(20)} ${key}`,
    `Hello ${key.slice(0, 40)} ${key}`,
  ]) {
    const { report } = await ask(lab, question, { mode: 'replay' });
    expect(report?.stop?.detail).toContain('+ messages[1].content: ');
    expect(report?.stop?.detail).not.toMatch(/a1B2/);
  }
  await ask(lab, `${'y'.repeat(70)} and`, { mode: 'record' }, { name: 'b' });
  const far = `${'y'.repeat(70)} ${key}`;
  expect((await ask(lab, far, { mode: 'replay' }, { name: 'b' })).report?.stop?.detail).not.toMatch(/a1B2/);
});

test('says what is missing: no tape at all, one more request, another trial', async () => {
  await using lab = await TrafficLab.open();
  const nothing = await ask(lab, 'Hello', { mode: 'replay' });
  expect(nothing.report?.stop?.message).toContain('there is no tape, and the network is off');
  await ask(lab, 'Hello', { mode: 'record' });
  const traffic = lab.traffic({ mode: 'replay' });
  const trial = await ask(lab, 'Hello', { mode: 'replay' }, { trial: 2 });
  expect(trial.report?.stop?.message).toContain('was recorded for trial 0 of this case, not for trial 2');
  const body = (await lab.tape()).split('\n')[1] ?? '';
  const send = (): Promise<Response> =>
    traffic.fetch(`${lab.sim.openaiBaseURL}/chat/completions`, {
      method: 'POST',
      body: JSON.stringify(JSON.parse(body).request.body),
    });
  const context = contextOf();
  await traffic.run(context, async () => {
    expect((await send()).status).toBe(200);
    expect((await send()).status).toBe(400);
  });
  expect(traffic.report(context)?.stop?.message).toContain(
    'was recorded once in this trial, and is asked once more',
  );
  await traffic.close();
});

test('the order of keys and the host do not matter, the body does', async () => {
  await using lab = await TrafficLab.open();
  const send = async (mode: 'record' | 'replay', origin: string, body: string): Promise<number> => {
    const traffic = lab.traffic({ mode });
    const response = await traffic.run(contextOf(), () =>
      traffic.fetch(`${origin}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: 'Bearer any', 'content-type': 'application/json' },
        body,
      }),
    );
    await response.text();
    await traffic.close();
    return response.status;
  };
  const origin = new URL(lab.sim.openaiBaseURL).origin;
  const text = '{"model":"gpt-4o","messages":[{"role":"user","content":"Hi"}],"temperature":0}';
  const same = '{"temperature":0,"messages":[{"content":"Hi","role":"user"}],"model":"gpt-4o"}';
  expect(await send('record', origin, text)).toBe(200);
  expect(await send('replay', 'https://api.openai.com', same)).toBe(200);
  expect(await send('replay', origin, same.replace('0', '1'))).toBe(400);
});

test('tapes that are too old fail when that is asked for', async () => {
  await using lab = await TrafficLab.open();
  await ask(lab, 'Hello', { mode: 'record', clock: new ManualClock({ wallMs: Date.UTC(2026, 0, 1) }) });
  const clock = new ManualClock({ wallMs: Date.UTC(2026, 1, 15) });
  const late = await ask(lab, 'Hello', { mode: 'replay', clock, tapes: { maxAgeDays: 30 } });
  expect(late.report?.stop).toMatchObject({ kind: 'replay-miss' });
  expect(late.report?.stop?.message).toContain('45 days old, and 30 are allowed');
  const fine = await ask(lab, 'Hello', { mode: 'replay', clock, tapes: { maxAgeDays: 60 } });
  expect(fine.report).toMatchObject({ replayed: 1 });
});

test('rerecording replaces a trial as a whole and leaves the others', async () => {
  await using lab = await TrafficLab.open();
  await ask(lab, 'One', { mode: 'record' });
  await ask(lab, 'Two', { mode: 'record' });
  await ask(lab, 'Other', { mode: 'record' }, { name: 'b' });
  expect((await lab.tape()).trim().split('\n')).toHaveLength(4);
  await ask(lab, 'Three', { mode: 'rerecord' });
  const tape = await lab.tape();
  expect(tape.trim().split('\n')).toHaveLength(3);
  expect(tape).not.toContain('"One"');
  expect(tape).toContain('"Three"');
  expect(tape).toContain('"Other"');
});

test('a wrong key and a closed port are not put on tape: the next recording asks again', async () => {
  await using lab = await TrafficLab.open();
  lab.sim.fail(faults.unauthorized());
  expect((await ask(lab, 'Hello', { mode: 'record' })).report).toMatchObject({ recorded: 0 });
  const closed = lab.sim.refuseConnections();
  const refused = await ask(lab, 'Hello', { mode: 'record' });
  expect(refused.report).toMatchObject({ recorded: 0, billedUsd: '0' });
  await closed.end();
  expect((await ask(lab, 'Hello', { mode: 'record' })).report).toMatchObject({ recorded: 1 });
});

test('a trial that was interrupted replaces nothing', async () => {
  await using lab = await TrafficLab.open();
  await ask(lab, 'One', { mode: 'record' });
  const abort = new AbortController();
  const traffic = lab.traffic({ mode: 'rerecord' });
  const context = contextOf({ signal: abort.signal });
  abort.abort();
  await traffic.run(context, () =>
    expect(traffic.fetch(`${lab.sim.openaiBaseURL}/models`)).rejects.toThrow(),
  );
  traffic.report(context);
  await traffic.close();
  expect(await lab.tape()).toContain('"One"');
});

const header = '{"tape":"synapsekit","version":1}';

test.each([
  ['{"tape":"synapsekit","version":1}\n{"broken', /a\.eval\.ts\.jsonl:2: the tape is broken: no valid JSON/],
  ['{"tape":"synapsekit","version":9}\n', /:1: the tape is broken: it has version 9/],
  ['{"name":"other"}\n', /:1: the tape is broken: its first line/],
  [`${header}\n<<<<<<< HEAD\n`, /:2: the tape is broken: a conflict of a merge/],
  [`${header}\n\n{"trial":0}\n`, /:3: the tape is broken: "role" is missing/],
  [`${header}\n[]\n`, /:2: the tape is broken: no JSON object/],
])('a broken tape is refused with its line before anything is sent: %s', async (text, message) => {
  await using lab = await TrafficLab.open();
  await mkdir(join(lab.cwd, '__tapes__'));
  await writeFile(lab.tapePath, text);
  const traffic = lab.traffic({ mode: 'replay' });
  await expect(traffic.prepare(['a.eval.ts'])).rejects.toThrow(message);
  await expect(traffic.prepare(['a.eval.ts'])).rejects.toMatchObject({ code: 'config' });
  const { report } = await ask(lab, 'Hello', { mode: 'record' });
  expect(report?.stop).toMatchObject({ kind: 'blocked' });
  expect(lab.sim.requests).toHaveLength(0);
  expect(await readFile(lab.tapePath, 'utf8')).toBe(text);
});

test('two equal lines are told with both numbers', async () => {
  await using lab = await TrafficLab.open();
  await ask(lab, 'Hello', { mode: 'record' });
  const tape = await lab.tape();
  await writeFile(lab.tapePath, tape + tape.split('\n')[1]);
  await expect(lab.traffic({ mode: 'replay' }).prepare(['a.eval.ts'])).rejects.toThrow(
    /:3: .* same as line 2/,
  );
});

test.skipIf(process.getuid?.() === 0)(
  'a folder that is read-only is told before anything is sent',
  async () => {
    await using lab = await TrafficLab.open();
    await chmod(lab.cwd, 0o555);
    const { report } = await ask(lab, 'Hello', { mode: 'record' });
    await chmod(lab.cwd, 0o755);
    expect(report?.stop?.message).toMatch(/cannot be written: no permission .* Nothing was sent/);
    expect(lab.sim.requests).toHaveLength(0);
  },
);

test('a folder that is a file is told before anything is sent', async () => {
  await using lab = await TrafficLab.open();
  await writeFile(join(lab.cwd, '__tapes__'), '');
  const { report } = await ask(lab, 'Hello', { mode: 'record' });
  expect(report?.stop).toMatchObject({ kind: 'blocked' });
  expect(report?.stop?.message).toMatch(/__tapes__\/a\.eval\.ts\.jsonl cannot be/);
  expect(lab.sim.requests).toHaveLength(0);
});
