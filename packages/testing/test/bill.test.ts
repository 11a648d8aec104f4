import { expect, test } from 'vitest';
import { type Fault, faults, type SimulatedProvider, seededRandom } from '../src/index.ts';
import { ask, failure, post, start } from './clients.ts';

/** Input, cached input and output, in pico-dollars per token: written down again, not taken from the source. */
const rates: Readonly<Record<string, readonly [bigint, bigint, bigint]>> = {
  'gpt-4o': [2_500_000n, 1_250_000n, 10_000_000n],
  'gpt-4o-mini': [150_000n, 75_000n, 600_000n],
  'o4-mini': [1_100_000n, 275_000n, 4_400_000n],
  'gpt-6-luna': [100_000n, 10_000n, 500_000n],
  'groq/llama-3.1-8b-instant': [50_000n, 50_000n, 80_000n],
  'groq/llama-3.3-70b-versatile': [590_000n, 590_000n, 790_000n],
  'groq/openai/gpt-oss-20b': [75_000n, 37_500n, 300_000n],
  'groq/openai/gpt-oss-120b': [150_000n, 75_000n, 600_000n],
};

interface WireUsage {
  prompt_tokens: number;
  completion_tokens: number;
  prompt_tokens_details?: { cached_tokens: number };
}

function cost(model: string, usage: WireUsage): bigint {
  const [input, cached, output] = rates[model] ?? [0n, 0n, 0n];
  const hits = BigInt(usage.prompt_tokens_details?.cached_tokens ?? 0);
  return (
    (BigInt(usage.prompt_tokens) - hits) * input + hits * cached + BigInt(usage.completion_tokens) * output
  );
}

/** Asks, plain or streamed, and gives the usage that the answer tells. */
async function usageOf(
  sim: SimulatedProvider,
  name: string,
  content: string,
  stream: boolean,
): Promise<WireUsage> {
  const provider = name.startsWith('groq/') ? 'groq' : 'openai';
  const body = {
    ...ask(content, name.replace(/^groq\//, '')),
    ...(stream && { stream, stream_options: { include_usage: true } }),
  };
  const text = await (await post(sim, body, provider)).text();
  if (!stream) return JSON.parse(text).usage;
  const chunks = text.split('\n\n').filter((event) => event.startsWith('data: {'));
  return JSON.parse(chunks.at(-1)?.slice('data: '.length) ?? '').usage;
}

test('the bill is exactly what the usage says, for every model, plain and streamed', async () => {
  const { sim } = await start({ promptCache: true });
  const questions = [
    'What is 2 + 2?',
    'Summarise the CAP theorem with examples.',
    `${'long '.repeat(1_100)} What?`,
  ];
  let expected = 0n;
  for (const name of Object.keys(rates)) {
    for (const question of questions) {
      for (const stream of [false, true]) expected += cost(name, await usageOf(sim, name, question, stream));
    }
  }
  expect(sim.bill.totalPico).toBe(expected);
  expect(sim.bill.entries.some(({ cachedInputTokens }) => cachedInputTokens > 0)).toBe(true);
  expect(Object.keys(sim.bill.byModel).sort()).toEqual(Object.keys(rates).sort());
  const sums = Object.values(sim.bill.byModel);
  expect(sums.reduce((sum, { amountPico }) => sum + amountPico, 0n)).toBe(expected);
  expect(sums.every(({ requests }) => requests === questions.length * 2)).toBe(true);
});

test('an error in place of the first piece of a stream is billed as little as any error; a later one bills what came', async () => {
  const { sim } = await start();
  const ask4 = { ...ask('Summarise the CAP theorem.', 'gpt-4o'), stream: true };
  for (const pieces of [0, 1]) {
    sim.fail(faults.errorAfter(pieces));
    expect(await (await post(sim, ask4)).text()).toContain('"error"');
    await sim.idle();
    expect(sim.bill.entries).toHaveLength(pieces);
  }
});

test('it can be printed and is safe for JSON', async () => {
  const { sim, openai } = await start();
  await openai.chat.completions.create(ask('What is 2 + 2?'), { headers: { 'x-synapsekit-attempt': 'a-1' } });
  expect(sim.bill.totalUsdExact).toBe('0.00000705'); // 15 tokens in at 0.15, 8 out at 0.60 dollars per million
  const entry = {
    requestId: 'req-1',
    attemptId: 'a-1',
    provider: 'openai',
    model: 'gpt-4o-mini',
    serviceTier: 'default',
  };
  expect(sim.bill.entries).toMatchObject([
    { ...entry, reason: 'complete', inputTokens: 15, outputTokens: 8, amountPico: 7_050_000n },
  ]);
  expect(JSON.parse(JSON.stringify(sim.bill))).toMatchObject({
    totalUsd: 0.00000705,
    totalUsdExact: '0.00000705',
    byModel: { 'gpt-4o-mini': { requests: 1, amountUsdExact: '0.00000705' } },
    entries: [{ ...entry, amountUsd: 0.00000705, amountUsdExact: '0.00000705' }],
  });
  expect(JSON.parse(JSON.stringify(sim.requests))).toMatchObject([
    { billed: { amountUsdExact: '0.00000705' } },
  ]);
  expect(sim.requests[0]?.billed).toBe(sim.bill.entries[0]);
});

test('tiers have their own prices, and own models replace the default ones', async () => {
  const { sim, openai } = await start({
    models: [
      {
        provider: 'openai',
        id: 'gpt-4o',
        inputUsdPerMillion: '1',
        outputUsdPerMillion: '2.5',
        tiers: { flex: { inputUsdPerMillion: 0.5, outputUsdPerMillion: 1.25 } },
      },
    ],
  });
  await openai.chat.completions.create(ask('What is 2 + 2?', 'gpt-4o'));
  await openai.chat.completions.create({ ...ask('What is 2 + 2?', 'gpt-4o'), service_tier: 'flex' });
  expect(sim.bill.entries.map(({ amountPico }) => amountPico)).toEqual([35_000_000n, 17_500_000n]);
});

test('the default models of OpenAI cost in each tier what is listed for it', async () => {
  const { sim, openai } = await start();
  for (const model of ['gpt-4o', 'gpt-4o-mini']) {
    for (const service_tier of ['default', 'flex', 'priority'] as const) {
      await openai.chat.completions.create({ ...ask('What is 2 + 2?', model), service_tier });
    }
  }
  const [large = [], mini = []] = ['gpt-4o', 'gpt-4o-mini'].map((id) =>
    sim.bill.entries.filter(({ model }) => model === id).map(({ amountPico }) => amountPico),
  );
  const [standard = 0n, standardMini = 0n] = [large[0], mini[0]];
  expect(large).toEqual([standard, standard / 2n, (standard * 17n) / 10n]);
  expect(mini).toEqual([standardMini, standardMini / 2n, (standardMini * 5n) / 3n]);
});

test('an aborted stream is billed for what was written, on both clients', async () => {
  const { sim, openai, groq } = await start({ chunkDelayMs: 2, answers: () => 'token '.repeat(200).trim() });
  const leaves = async (
    chunks: AsyncIterable<{ choices: { delta: { content?: string | null } }[] }>,
  ): Promise<string> => {
    let text = '';
    for await (const chunk of chunks) {
      text += chunk.choices[0]?.delta.content ?? '';
      if (text.length > 30) break;
    }
    return text;
  };
  const received = [
    await leaves(await openai.chat.completions.create({ ...ask('x'), stream: true })),
    await leaves(await groq.chat.completions.create({ ...ask('x', 'llama-3.1-8b-instant'), stream: true })),
  ];
  await sim.idle();
  for (const [index, request] of sim.requests.entries()) {
    expect(request).toMatchObject({ outcome: 'aborted', aborted: true, billed: { reason: 'cut' } });
    const written = request.sentText.split(' ').length;
    expect(request.billed?.outputTokens).toBe(written);
    // What was on its way when the client left is billed, but the work stopped at once.
    const read = received[index]?.split(' ').length ?? 0;
    expect(written).toBeGreaterThanOrEqual(read);
    expect(written).toBeLessThan(100);
  }
});

test('a plain answer that nobody waited for is billed in full', async () => {
  const { sim, openai } = await start({ latencyMs: 10_000 });
  const stop = new AbortController();
  const call = failure(openai.chat.completions.create(ask('What is 2 + 2?'), { signal: stop.signal }));
  await expect.poll(() => sim.requests.length, { interval: 2 }).toBe(1);
  stop.abort();
  await call;
  await sim.idle();
  expect(sim.requests[0]).toMatchObject({ outcome: 'aborted', status: undefined });
  expect(sim.bill.entries).toMatchObject([{ reason: 'cut', outputTokens: 8, amountPico: 7_050_000n }]);
});

test('whatever goes wrong, entries and totals agree, and only real answers are complete', async () => {
  const { sim } = await start();
  const random = seededRandom(11);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const kinds: readonly (Fault | undefined)[] = [
    undefined,
    faults.resetAfter(2),
    faults.endAfter(3),
    faults.hangUpAfter(1),
    faults.errorAfter(2),
    faults.shortBody(),
    faults.dropped(),
    faults.rateLimited(),
    faults.html(),
    faults.missingUsage(),
  ];
  for (let i = 0; i < 80; i++) {
    const fault = pick(kinds);
    if (fault !== undefined) sim.fail(fault);
    const body = { ...ask(pick(['What is 2 + 2?', 'Hello'])), stream: random() < 0.5 };
    await post(sim, body)
      .then((response) => response.text())
      .catch(() => undefined);
  }
  await sim.idle();
  expect(sim.bill.entries.reduce((sum, { amountPico }) => sum + amountPico, 0n)).toBe(sim.bill.totalPico);
  for (const { outcome, billed } of sim.requests) {
    if (outcome === 'answered') expect(billed?.reason).toBe('complete');
    if (outcome === 'refused') expect(billed).toBeUndefined();
    if (billed?.reason === 'cut') expect(outcome).toBe('cut');
  }
});
