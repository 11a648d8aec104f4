import { expect, test } from 'vitest';
import { all, ask, failure, post, start } from './clients.ts';

test('the openai client gets a completion as OpenAI sends it', async () => {
  const { sim, openai } = await start();
  const { data, response } = await openai.chat.completions
    .create(ask('What is the capital of France?'))
    .withResponse();
  expect(data).toMatchObject({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    model: 'gpt-4o-mini-2024-07-18',
    service_tier: 'default',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: 'The capital of France is Paris.', refusal: null },
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
    usage: {
      prompt_tokens: 14,
      completion_tokens: 7,
      total_tokens: 21,
      prompt_tokens_details: { cached_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 0 },
    },
  });
  expect((data as { _request_id?: string })._request_id).toBe('req-1');
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'x-request-id': 'req-1',
    'openai-processing-ms': expect.stringMatching(/^\d+$/),
    'x-ratelimit-limit-requests': '10000',
    'x-ratelimit-remaining-requests': '9999',
    'x-ratelimit-reset-requests': '6ms',
    date: expect.stringMatching(/GMT$/),
  });
  expect(sim.requests).toHaveLength(1);
});

test('the groq client gets a completion as Groq sends it', async () => {
  const { groq } = await start();
  const { data, response } = await groq.chat.completions
    .create({ ...ask('What is 2 + 2?', 'llama-3.1-8b-instant'), seed: 7 })
    .withResponse();
  expect(data).toMatchObject({
    model: 'llama-3.1-8b-instant',
    service_tier: 'on_demand',
    choices: [{ message: { role: 'assistant', content: '2 + 2 = 4.' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 15, completion_tokens: 8, total_tokens: 23, queue_time: expect.any(Number) },
    x_groq: { id: 'req-1', seed: 7 },
  });
  expect(data.usage).not.toHaveProperty('prompt_tokens_details');
  expect(response.headers.get('x-ratelimit-reset-requests')).toBe('6s');
  expect(response.headers.get('openai-processing-ms')).toBeNull();
});

test('what it was asked is on record, without the key', async () => {
  const { sim, openai } = await start();
  await openai.chat.completions.create(ask('What is 2 + 2?'), {
    headers: { 'x-synapsekit-attempt': 'attempt-9' },
  });
  expect(sim.requests[0]).toMatchObject({
    index: 1,
    provider: 'openai',
    method: 'POST',
    path: '/v1/chat/completions',
    model: 'gpt-4o-mini',
    stream: false,
    attemptId: 'attempt-9',
    attempt: 1,
    outcome: 'answered',
    aborted: false,
    status: 200,
    sentText: '2 + 2 = 4.',
    body: ask('What is 2 + 2?'),
  });
  expect(sim.requests[0]?.headers.authorization).toBe('[redacted]');
  expect(JSON.stringify(sim.requests)).not.toContain('test-key');
});

test('scripted answers come first, then the function, then the rules', async () => {
  const { sim, openai } = await start({
    answers: ({ userText, model }) => (userText === 'own' ? `own answer of ${model}` : undefined),
  });
  const say = async (text: string): Promise<string | null | undefined> =>
    (await openai.chat.completions.create(ask(text))).choices[0]?.message.content;
  sim.answerNext('first', { text: 'second', finishReason: 'content_filter', usage: { inputTokens: 1_000 } });
  expect(await say('own')).toBe('first');
  const second = await openai.chat.completions.create(ask('own'));
  expect(second.choices[0]?.finish_reason).toBe('content_filter');
  expect(second.usage?.prompt_tokens).toBe(1_000);
  expect(await say('own')).toBe('own answer of gpt-4o-mini');
  expect(await say('What is 3 * (4 - 1)?')).toBe('3 * (4 - 1) = 9.');
});

test('refusals and reasoning have their own members', async () => {
  const { sim, openai, groq } = await start();
  sim.answerNext({ refusal: 'I cannot help with that.' }, { text: 'Yes.', reasoning: 'Think first.' });
  const refused = await openai.chat.completions.create(ask('x'));
  expect(refused.choices[0]?.message).toMatchObject({ content: null, refusal: 'I cannot help with that.' });
  const thought = await groq.chat.completions.create(ask('x', 'openai/gpt-oss-20b'));
  expect(thought.choices[0]?.message).toMatchObject({ content: 'Yes.', reasoning: 'Think first.' });
  expect(thought.usage?.completion_tokens_details?.reasoning_tokens).toBe(3);
});

test('an answers function that throws is a 500 that says so', async () => {
  const { openai, sim } = await start({
    answers: () => {
      throw new Error('my test is wrong');
    },
  });
  const error = await failure(openai.chat.completions.create(ask('x')));
  expect([error.status, error.message]).toEqual([500, expect.stringContaining('my test is wrong')]);
  expect(sim.bill.totalPico).toBe(0n);
});

test('token limit, stop sequences, service tier and logprobs are honoured', async () => {
  const { openai } = await start({ answers: () => 'one two three four five' });
  const create = async (rest: object) => {
    const answer = await openai.chat.completions.create({ ...ask('count'), ...rest });
    return { ...answer.choices[0], usage: answer.usage, tier: answer.service_tier };
  };
  expect(await create({ max_tokens: 2 })).toMatchObject({
    message: { content: 'one two' },
    finish_reason: 'length',
    usage: { completion_tokens: 2 },
  });
  expect(await create({ max_completion_tokens: 5 })).toMatchObject({ finish_reason: 'stop' });
  expect(await create({ stop: [' four', ' three'] })).toMatchObject({
    message: { content: 'one two' },
    finish_reason: 'stop',
  });
  expect(await create({ service_tier: 'flex' })).toMatchObject({ tier: 'flex' });
  const { logprobs } = await create({ logprobs: true, top_logprobs: 3 });
  expect(logprobs?.content?.map(({ token }) => token).join('')).toBe('one two three four five');
  const [first] = logprobs?.content ?? [];
  expect(first?.top_logprobs).toHaveLength(3);
  expect(first?.top_logprobs[0]?.token).toBe('one');
  expect(first?.top_logprobs[0]?.logprob).toBeGreaterThan(first?.top_logprobs[1]?.logprob ?? 0);
});

test('a reasoning model thinks before it answers, within the token limit', async () => {
  const { openai } = await start();
  const whole = await openai.chat.completions.create({
    ...ask('What is 2 + 2?', 'o4-mini'),
    reasoning_effort: 'high',
  });
  const reasoning = whole.usage?.completion_tokens_details?.reasoning_tokens ?? 0;
  expect(reasoning).toBeGreaterThan(20);
  expect(whole.usage?.completion_tokens).toBe(reasoning + 8);
  expect(JSON.stringify(whole)).not.toContain('The user asks');
  const cut = await openai.chat.completions.create({
    ...ask('What is 2 + 2?', 'o4-mini'),
    max_completion_tokens: 5,
  });
  expect(cut.choices[0]).toMatchObject({ message: { content: '' }, finish_reason: 'length' });
  expect(cut.usage).toMatchObject({
    completion_tokens: 5,
    completion_tokens_details: { reasoning_tokens: 5 },
  });
});

test('repeated beginnings of long prompts are cached, if asked for', async () => {
  const { openai, sim } = await start({ promptCache: true });
  const long = 'All work and no play makes Jack a dull boy. '.repeat(150);
  const cached = async (model: string, end: string): Promise<number | undefined> => {
    const messages = [
      { role: 'system' as const, content: long },
      { role: 'user' as const, content: end },
    ];
    const { usage } = await openai.chat.completions.create({ model, messages });
    return usage?.prompt_tokens_details?.cached_tokens;
  };
  expect(await cached('gpt-4o-mini', 'one')).toBe(0);
  const second = await cached('gpt-4o-mini', 'two');
  expect(second).toBeGreaterThanOrEqual(1_024);
  expect((second ?? 1) % 128).toBe(0);
  expect(await cached('gpt-4o', 'one')).toBe(0);
  expect(sim.bill.entries[1]?.amountPico).toBeLessThan(sim.bill.entries[0]?.amountPico ?? 0n);
});

test('special tokens and endless words in a prompt are just text', async () => {
  const { sim } = await start();
  const response = await post(sim, ask(`<|endoftext|> ${'a'.repeat(100_000)}`));
  expect(response.status).toBe(200);
});

test('the openai client reads a stream; usage comes last, and only if asked for', async () => {
  const { openai } = await start();
  const plain = await all(
    await openai.chat.completions.create({ ...ask('What is the capital of France?'), stream: true }),
  );
  expect(plain[0]?.choices[0]?.delta).toEqual({ role: 'assistant', content: '', refusal: null });
  expect(plain.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe(
    'The capital of France is Paris.',
  );
  expect(plain.at(-1)?.choices[0]).toMatchObject({ delta: {}, finish_reason: 'stop' });
  expect(plain.every((chunk) => !('usage' in chunk))).toBe(true);
  expect(new Set(plain.map(({ id }) => id))).toEqual(new Set(['chatcmpl-1']));

  const counted = await all(
    await openai.chat.completions.create({
      ...ask('What is the capital of France?'),
      stream: true,
      stream_options: { include_usage: true },
    }),
  );
  expect(counted.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 14, completion_tokens: 7 } });
  expect(counted.slice(0, -1).every(({ usage }) => usage === null)).toBe(true);
});

test('the groq client reads a stream; usage is in x_groq, and in a chunk of its own if asked for', async () => {
  const { groq } = await start();
  const question = ask('What is 2 + 2?', 'llama-3.1-8b-instant');
  const chunks = await all(await groq.chat.completions.create({ ...question, stream: true }));
  expect(chunks[0]?.x_groq).toEqual({ id: 'req-1' });
  expect(chunks.at(-1)).toMatchObject({
    choices: [{ finish_reason: 'stop' }],
    x_groq: { id: 'req-1', usage: { prompt_tokens: 15, completion_tokens: 8 } },
  });
  const body = { ...question, stream: true, stream_options: { include_usage: true } };
  const text = await (await post((await start()).sim, body, 'groq')).text();
  const last = text.trim().split('\n\n').slice(-2);
  expect(JSON.parse(last[0]?.replace('data: ', '') ?? '')).toMatchObject({
    choices: [],
    usage: { prompt_tokens: 15 },
  });
  expect(last[1]).toBe('data: [DONE]');
});

test('a stream says the same as the answer in one piece, for every kind of answer', async () => {
  const { openai, sim } = await start();
  for (const question of [
    'Summarise the CAP theorem with examples.',
    'Tell me about naïve 👩‍👩‍👧 emoji.',
    'Hello',
  ]) {
    const whole = await openai.chat.completions.create({ ...ask(question), logprobs: true });
    const chunks = await all(
      await openai.chat.completions.create({ ...ask(question), logprobs: true, stream: true }),
    );
    const deltas = chunks.flatMap(({ choices }) => choices);
    expect(deltas.map(({ delta }) => delta.content ?? '').join('')).toBe(whole.choices[0]?.message.content);
    expect(deltas.flatMap(({ logprobs }) => logprobs?.content ?? [])).toEqual(
      whole.choices[0]?.logprobs?.content,
    );
    const [one, streamed] = sim.bill.entries.slice(-2);
    expect(streamed?.amountPico).toBe(one?.amountPico);
  }
});

test('each token arrives on its own', async () => {
  const { sim } = await start({ answers: () => 'one two three' });
  const response = await post(sim, { ...ask('x'), stream: true });
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  const arrivals: string[] = [];
  for await (const part of response.body ?? []) arrivals.push(Buffer.from(part as Uint8Array).toString());
  expect(arrivals.length).toBeGreaterThanOrEqual(4);
});
