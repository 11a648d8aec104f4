import { expect, test } from 'vitest';
import { ask, failure, post, start } from './clients.ts';

const error = async (response: Response): Promise<Record<string, unknown>> =>
  ((await response.json()) as { error: Record<string, unknown> }).error;

test('a missing, blank or wrong key is 401 in the shape of the provider', async () => {
  const { sim } = await start({ apiKeys: ['right'] });
  for (const authorization of ['', 'Bearer ', 'Bearer wrong', 'Basic x']) {
    const headers = { authorization, 'content-type': 'application/json' };
    const openai = await post(sim, ask('x'), 'openai', { headers });
    expect(openai.status).toBe(401);
    expect(Object.keys(await error(openai))).toEqual(['message', 'type', 'param', 'code']);
    const groq = await post(sim, ask('x', 'llama-3.1-8b-instant'), 'groq', { headers });
    expect(groq.status).toBe(401);
    expect(await error(groq)).toEqual({
      message: 'Invalid API Key',
      type: 'invalid_request_error',
      code: 'invalid_api_key',
    });
  }
  const right = await post(sim, ask('What is 2 + 2?'), 'openai', {
    headers: { authorization: 'Bearer right' },
  });
  expect(right.status).toBe(200);
  expect(sim.bill.entries).toHaveLength(1);
});

test('models are listed, described, and not found', async () => {
  const { openai, groq, sim } = await start({
    models: [
      {
        provider: 'openai',
        id: 'gpt-ending',
        inputUsdPerMillion: 1,
        outputUsdPerMillion: 2,
        shutdownDate: '2099-12-31',
      },
      {
        provider: 'openai',
        id: 'gpt-gone',
        inputUsdPerMillion: 1,
        outputUsdPerMillion: 2,
        shutdownDate: '2020-01-01',
      },
      {
        provider: 'groq',
        id: 'llama-gone',
        inputUsdPerMillion: 1,
        outputUsdPerMillion: 2,
        shutdownDate: '2020-01-01',
      },
    ],
  });
  const listed = (await openai.models.list()).data;
  expect(listed.map(({ id }) => id)).toContain('gpt-4o');
  expect(listed.find(({ id }) => id === 'gpt-ending')).toMatchObject({
    owned_by: 'openai',
    shutdown_date: '2099-12-31',
  });
  expect((await groq.models.list()).data).toContainEqual(
    expect.objectContaining({ id: 'openai/gpt-oss-20b', context_window: 131_072 }),
  );
  expect((await openai.models.retrieve('gpt-4o')).id).toBe('gpt-4o');
  expect(await failure(openai.models.retrieve('nothing'))).toMatchObject({
    status: 404,
    code: 'model_not_found',
  });
  expect(await failure(openai.chat.completions.create(ask('x', 'gpt-5-never')))).toMatchObject({
    status: 404,
    code: 'model_not_found',
    type: 'invalid_request_error',
  });
  const groqs = await failure(groq.chat.completions.create(ask('x', 'gpt-4o')));
  expect([groqs.status, groqs.error]).toMatchObject([404, { error: { code: 'model_not_found' } }]);
  expect(await failure(openai.chat.completions.create(ask('x', 'gpt-gone')))).toMatchObject({ status: 404 });
  const ended = await failure(groq.chat.completions.create(ask('x', 'llama-gone')));
  expect([ended.status, ended.error]).toMatchObject([400, { error: { code: 'model_decommissioned' } }]);
  // The dated snapshot can be asked for by its own name.
  expect((await openai.chat.completions.create(ask('x', 'gpt-4o-2024-08-06'))).model).toBe(
    'gpt-4o-2024-08-06',
  );
  expect(sim.bill.entries).toHaveLength(1);
});

const user = { role: 'user', content: 'x' };
const call = { id: 'c1', type: 'function', function: { name: 'f', arguments: '{}' } };
const tool = { type: 'function', function: { name: 'f' } };

test.for<[string, object | string, string | null, string | null]>([
  ['no JSON', '{"model": ', null, null],
  ['no object', '[]', null, null],
  ['no model', { messages: [user] }, null, 'model'],
  ['no messages', { model: 'gpt-4o' }, null, 'messages'],
  ['empty messages', { model: 'gpt-4o', messages: [] }, 'empty_array', 'messages'],
  ['unknown role', { messages: [{ role: 'robot', content: 'x' }] }, 'invalid_value', 'messages.[0].role'],
  ['null content', { messages: [{ role: 'user', content: null }] }, null, 'messages.[0].content'],
  [
    'tool message without a call',
    { messages: [user, { role: 'tool', tool_call_id: 'c1', content: 'x' }] },
    null,
    'messages.[1].role',
  ],
  [
    'call without a tool message',
    { messages: [user, { role: 'assistant', tool_calls: [call] }, user] },
    null,
    'messages.[2]',
  ],
  ['call at the end', { messages: [user, { role: 'assistant', tool_calls: [call] }] }, null, 'messages'],
  ['temperature', { messages: [user], temperature: 2.5 }, 'invalid_value', 'temperature'],
  ['zero tokens', { messages: [user], max_tokens: 0 }, 'invalid_value', 'max_tokens'],
  ['two limits', { messages: [user], max_tokens: 5, max_completion_tokens: 5 }, null, 'max_tokens'],
  ['too many tokens', { messages: [user], max_tokens: 16_385 }, 'invalid_value', 'max_tokens'],
  ['top_logprobs alone', { messages: [user], top_logprobs: 2 }, null, 'top_logprobs'],
  ['several answers', { messages: [user], n: 2 }, null, 'n'],
  ['stream options without stream', { messages: [user], stream_options: {} }, null, 'stream_options'],
  [
    'tool name',
    { messages: [user], tools: [{ type: 'function', function: { name: 'no spaces' } }] },
    'invalid_value',
    'tools[0].function.name',
  ],
  ['choice without tools', { messages: [user], tool_choice: 'auto' }, null, 'tool_choice'],
  [
    'choice of no tool',
    { messages: [user], tools: [tool], tool_choice: { type: 'function', function: { name: 'g' } } },
    null,
    'tool_choice',
  ],
  ['JSON without the word', { messages: [user], response_format: { type: 'json_object' } }, null, 'messages'],
  [
    'schema without schema',
    { messages: [user], response_format: { type: 'json_schema', json_schema: {} } },
    null,
    'response_format',
  ],
  [
    'max_tokens for a reasoning model',
    { model: 'o4-mini', messages: [user], max_tokens: 5 },
    'unsupported_parameter',
    'max_tokens',
  ],
  [
    'temperature for a reasoning model',
    { model: 'gpt-6-luna', messages: [user], temperature: 0.2 },
    'unsupported_value',
    'temperature',
  ],
  [
    'stop for a reasoning model',
    { model: 'o4-mini', messages: [user], stop: ['x'] },
    'unsupported_parameter',
    'stop',
  ],
])('refuses with 400: %s', async ([name, body, code, param]) => {
  const { sim } = await start();
  const model = name === 'no model' ? {} : { model: 'gpt-4o' };
  const response = await post(sim, typeof body === 'string' ? body : { ...model, ...body });
  expect(response.status).toBe(400);
  expect(await error(response)).toMatchObject({ type: 'invalid_request_error', code, param });
  expect(sim.requests[0]).toMatchObject({ outcome: 'refused', status: 400 });
  expect(sim.bill.entries).toEqual([]);
});

test('groq takes max_tokens and temperature for its reasoning models', async () => {
  const { groq } = await start();
  const answer = await groq.chat.completions.create({
    ...ask('What is 2 + 2?', 'openai/gpt-oss-20b'),
    max_tokens: 500,
    temperature: 0.2,
  });
  expect(answer.choices[0]?.message.content).toBe('2 + 2 = 4.');
});

test('groq refuses logprobs', async () => {
  const { groq } = await start();
  const error = await failure(
    groq.chat.completions.create({ ...ask('x', 'llama-3.1-8b-instant'), logprobs: true }),
  );
  expect([error.status, error.error]).toMatchObject([400, { error: { param: 'logprobs' } }]);
});

test('a prompt that does not fit into the context window is refused by its real token count', async () => {
  const model = {
    provider: 'openai',
    id: 'tiny',
    inputUsdPerMillion: 1,
    outputUsdPerMillion: 1,
    contextWindow: 20,
    maxOutputTokens: 20,
  } as const;
  const { openai } = await start({ models: [model] });
  const long = await failure(openai.chat.completions.create(ask('word '.repeat(20), 'tiny')));
  expect(long).toMatchObject({ status: 400, code: 'context_length_exceeded', type: 'invalid_request_error' });
  expect(
    await failure(openai.chat.completions.create({ ...ask('hello', 'tiny'), max_tokens: 15 })),
  ).toMatchObject({
    code: 'context_length_exceeded',
  });
  const fits = await openai.chat.completions.create(ask('hello', 'tiny'));
  expect(fits.usage?.total_tokens).toBeLessThanOrEqual(20);
});

test('unknown paths are 404 at both', async () => {
  const { sim } = await start();
  const get = (path: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${sim.port}${path}`, { headers: { authorization: 'Bearer k' } });
  expect((await get('/v1/nothing')).status).toBe(404);
  expect(await error(await get('/openai/v1/nothing'))).toMatchObject({ type: 'invalid_request_error' });
  expect(
    (
      await fetch(`${sim.openaiBaseURL}/embeddings`, {
        method: 'POST',
        headers: { authorization: 'Bearer k' },
      })
    ).status,
  ).toBe(404);
});
