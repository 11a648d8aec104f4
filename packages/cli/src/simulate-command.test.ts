import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type MemoryIo, memoryIo } from '../test/memory-io.ts';
import { runCli } from './run-cli.ts';

/** Starts the command, waits for its address, and lets `use` talk to it before Ctrl-C. */
const simulate = async (
  flags: readonly string[],
  use: (baseURL: string) => Promise<void>,
): Promise<MemoryIo> => {
  const controller = new AbortController();
  const io = memoryIo({ signal: controller.signal });
  const running = runCli(['simulate', '--port', '0', ...flags], io);
  for (let tries = 0; !io.out().includes('\n') && tries < 500; tries++) await sleep(5);
  await use(/http:\/\/127\.0\.0\.1:\d+\/v1/.exec(io.out())?.[0] ?? 'nowhere');
  controller.abort();
  expect(await running).toBe(0);
  return io;
};

const ask = async (baseURL: string): Promise<void> => {
  const answer = await fetch(`${baseURL}/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer k', 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'gpt-4o',
      messages: [{ role: 'user', content: 'What is 2 + 2? (secret)' }],
    }),
  });
  expect(answer.status).toBe(200);
  await answer.text();
};

describe('synapsekit simulate', () => {
  test('says how to point clients at it, what it is asked, and what it charged', async () => {
    const io = await simulate([], async (baseURL) => {
      await ask(baseURL);
      await fetch(`${baseURL}/models/nothing`, { headers: { authorization: 'Bearer k' } });
    });
    const text = io.out();
    expect(text).toMatch(/^export OPENAI_BASE_URL=http:\/\/127\.0\.0\.1:\d+\/v1$/m);
    expect(text).toMatch(/^export GROQ_API_KEY=\S+$/m);
    expect(text).toMatch(
      /^\d\d:\d\d:\d\d {2}openai {2}gpt-4o {2}200 {2}\d+ ms {2}\d+ \+ \d+ tokens {2}\$0\.\d+$/m,
    );
    expect(text).toMatch(/GET \/v1\/models\/nothing {2}404 refused/);
    expect(text).toMatch(/^Bill: \$0\.\d+\n {2}gpt-4o {2}1 request {2}\d+ \+ \d+ tokens {2}\$0\.\d+$/m);
    expect(text).not.toContain('secret');
  });

  test('prints one JSON object a line when asked to', async () => {
    const io = await simulate(['--json', '--latency-ms', '20'], ask);
    const lines = io
      .out()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ type }) => type)).toEqual(['listening', 'request', 'bill']);
    const [, request, bill] = lines;
    expect(request).toMatchObject({ provider: 'openai', model: 'gpt-4o', status: 200, outcome: 'answered' });
    expect(Number(request?.endedAtMs) - Number(request?.atMs)).toBeGreaterThanOrEqual(19);
    expect(bill?.totalUsd).toBe(request?.costUsd);
    expect(bill?.totalUsdExact).toBe(request?.costUsdExact);
    expect(io.out()).not.toContain('secret');
  });

  test('says so when the port is taken', async () => {
    await simulate([], async (baseURL) => {
      const io = memoryIo();
      expect(await runCli(['simulate', '--port', new URL(baseURL).port], io)).toBe(2);
      expect(io.err()).toMatch(/taken|in use/);
    });
  });
});
