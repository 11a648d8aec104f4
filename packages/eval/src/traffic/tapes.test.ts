import { faults } from '@synapsekit/testing';
import Groq from 'groq-sdk';
import OpenAI from 'openai';
import { expect, test } from 'vitest';
import { contextOf, TrafficLab } from '../../test/traffic-run.ts';
import type { ProviderTraffic } from './provider-traffic.ts';

const messages = [{ role: 'user' as const, content: 'What is the capital of France?' }];

function clientOf(lab: TrafficLab, traffic: ProviderTraffic, maxRetries = 0): OpenAI {
  return new OpenAI({
    baseURL: lab.sim.openaiBaseURL,
    apiKey: 'sk-live-0123456789abcdef0123',
    fetch: traffic.fetch,
    maxRetries,
  });
}

/** Records `work` in one run and plays it in another, with the provider gone. */
async function twice<T>(
  lab: TrafficLab,
  work: (client: OpenAI, traffic: ProviderTraffic) => Promise<T>,
): Promise<{ live: T; replayed: T; reports: unknown[] }> {
  const recording = lab.traffic({ mode: 'record' });
  const context = contextOf();
  const live = await recording.run(context, () => work(clientOf(lab, recording), recording));
  const reports: unknown[] = [recording.report(context)];
  await recording.close();
  await lab.sim.idle();
  const requests = lab.sim.requests.length;
  const playing = lab.traffic({ mode: 'replay' });
  const replayed = await playing.run(context, () => work(clientOf(lab, playing), playing));
  reports.push(playing.report(context));
  await playing.close();
  expect(lab.sim.requests.length).toBe(requests);
  return { live, replayed, reports };
}

test('an answer is recorded once and replayed for nothing', async () => {
  await using lab = await TrafficLab.open();
  const { live, replayed, reports } = await twice(lab, (client) =>
    client.chat.completions.create({ model: 'gpt-4o', messages }),
  );
  expect(replayed).toEqual(live);
  expect(reports).toEqual([
    { billedUsd: lab.sim.bill.totalUsdExact, requests: 1, replayed: 0, recorded: 1 },
    { billedUsd: '0', requests: 1, replayed: 1, recorded: 0 },
  ]);
  const tape = await lab.tape();
  expect(tape.split('\n')).toHaveLength(3);
  expect(tape).not.toContain('sk-live');
  expect(tape).not.toMatch(/authorization|x-stainless|set-cookie/i);
  expect(tape).toContain('What is the capital of France?');
});

test('a stream comes back in the chunks in which it came', async () => {
  await using lab = await TrafficLab.open({ chunkDelayMs: 2 });
  const { live, replayed } = await twice(lab, async (client) => {
    const stream = await client.chat.completions.create({
      model: 'gpt-4o',
      messages,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks: unknown[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    return chunks;
  });
  expect(replayed).toEqual(live);
  expect(replayed.length).toBeGreaterThan(5);
  const entry = JSON.parse((await lab.tape()).split('\n')[1] ?? '');
  expect(entry.answer.chunks.length).toBeGreaterThan(3);
});

test('groq-sdk and plain fetch are covered too, installed on the global', async () => {
  await using lab = await TrafficLab.open();
  const work = async (traffic: ProviderTraffic): Promise<unknown> => {
    const before = globalThis.fetch;
    const restore = traffic.install();
    try {
      const groq = new Groq({ baseURL: lab.sim.groqBaseURL, apiKey: 'gsk_0123456789abcdefghij' });
      const { choices } = await groq.chat.completions.create({ model: 'llama-3.1-8b-instant', messages });
      const response = await fetch(`${lab.sim.openaiBaseURL}/chat/completions`, {
        method: 'POST',
        headers: { authorization: 'Bearer sk-0123456789abcdefghij', 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'gpt-4o-mini', messages }),
      });
      return [choices, await response.json(), response.url, response.status];
    } finally {
      restore();
      expect(globalThis.fetch).toBe(before);
    }
  };
  const { live, replayed, reports } = await twice(lab, (_, traffic) => work(traffic));
  expect(replayed).toEqual(live);
  expect(reports[1]).toMatchObject({ replayed: 2, billedUsd: '0' });
});

const wireFaults = {
  '429': faults.rateLimited({ retryAfter: 7 }),
  '500': faults.serverError(),
  'a reset before the answer': faults.reset(),
  'a dropped connection': faults.dropped(),
  'a reset in the stream': faults.resetAfter(3),
  'a hang-up in the stream': faults.hangUpAfter(2),
  'a truncated stream': faults.endAfter(3),
  'an error event': faults.errorAfter(2),
  'half a JSON document': faults.malformedJson(),
  HTML: faults.html(),
  'missing usage': faults.missingUsage(),
};

test.each(Object.entries(wireFaults))('%s is replayed as it was', async (_, fault) => {
  await using lab = await TrafficLab.open();
  lab.sim.fail(fault);
  const { live, replayed } = await twice(lab, async (client) => {
    let text = '';
    try {
      const stream = await client.chat.completions.create({ model: 'gpt-4o', messages, stream: true });
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
      return { text };
    } catch (error) {
      const { name, message, status, headers, cause } = error as Error & {
        status?: number;
        headers?: Headers;
      };
      const { code, message: why } = Object(cause) as NodeJS.ErrnoException;
      return { text, name, message, status, retryAfter: headers?.get('retry-after'), code, why };
    }
  });
  expect(replayed).toEqual(live);
});

test('a stall is replayed: nothing comes until the client gives up', async () => {
  await using lab = await TrafficLab.open();
  lab.sim.fail(faults.stall(2));
  const { live, replayed } = await twice(lab, async (client) => {
    const abort = new AbortController();
    const stream = await client.chat.completions.create(
      { model: 'gpt-4o', messages, stream: true },
      { signal: abort.signal },
    );
    let text = '';
    let count = 0;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      if (text !== '' && ++count === 2) abort.abort();
    }
    return text;
  });
  expect(replayed).toBe(live);
  expect(live).not.toBe('');
});

test('retries of an SDK are requests of their own: the fault first, then the answer', async () => {
  await using lab = await TrafficLab.open();
  lab.sim.fail(faults.rateLimited({ retryAfter: 0 }));
  const { live, replayed, reports } = await twice(lab, (_, traffic) =>
    clientOf(lab, traffic, 2).chat.completions.create({ model: 'gpt-4o', messages }),
  );
  expect(replayed).toEqual(live);
  expect(reports).toMatchObject([{ recorded: 2 }, { replayed: 2 }]);
});

test('trials and repeated requests keep their own answers', async () => {
  let asked = 0;
  await using lab = await TrafficLab.open({ answers: () => `answer ${++asked}` });
  const ask = async (mode: 'record' | 'replay'): Promise<string[]> => {
    const traffic = lab.traffic({ mode });
    const client = clientOf(lab, traffic);
    const texts: string[] = [];
    for (const trial of [0, 1, 2]) {
      const context = contextOf({ trial });
      await traffic.run(context, async () => {
        for (let turn = 0; turn < 2; turn++) {
          const { choices } = await client.chat.completions.create({ model: 'gpt-4o', messages });
          texts.push(choices[0]?.message.content ?? '');
        }
      });
      expect(traffic.report(context)).toMatchObject({ requests: 2 });
    }
    await traffic.close();
    return texts;
  };
  const live = await ask('record');
  expect(new Set(live).size).toBe(6);
  expect(await ask('replay')).toEqual(live);
});

test('a thousand interleaved requests find their own answers, and the tape does not depend on who was faster', async () => {
  await using lab = await TrafficLab.open({
    answers: ({ userText }) => `re: ${userText}`,
    latencyMs: ({ index }) => (index * 7) % 5,
  });
  const ask = async (mode: 'record' | 'rerecord' | 'replay', count = 1_000): Promise<string[]> => {
    const traffic = lab.traffic({ mode });
    const client = clientOf(lab, traffic);
    const texts = await Promise.all(
      Array.from({ length: count }, (_, index) =>
        traffic.run(contextOf({ name: `case ${index % 50}`, trial: index % 3 }), async () => {
          const { choices } = await client.chat.completions.create({
            model: 'gpt-4o-mini',
            messages: [{ role: 'user', content: `question ${index}` }],
          });
          return choices[0]?.message.content ?? '';
        }),
      ),
    );
    await traffic.close();
    return texts;
  };
  const expected = Array.from({ length: 1_000 }, (_, index) => `re: question ${index}`);
  expect(await ask('record')).toEqual(expected);
  expect(await ask('replay')).toEqual(expected);
  const strip = (tape: string): string[] =>
    tape.split('\n').map((line) => line.replace(/"recordedAt".*?"request"/, '').replace(/"answer".*/, ''));
  const first = strip(await lab.tape());
  expect(first).toHaveLength(1_002);
  await ask('rerecord', 100);
  expect(strip(await lab.tape())).toEqual(first);
}, 60_000);
