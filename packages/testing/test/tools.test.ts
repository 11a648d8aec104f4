import type { ChatCompletionTool } from 'openai/resources/chat/completions';
import { expect, test } from 'vitest';
import { all, ask, start } from './clients.ts';

const weather: ChatCompletionTool = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'Current weather of a city',
    parameters: {
      type: 'object',
      properties: {
        city: { type: 'string' },
        unit: { type: 'string', enum: ['celsius', 'fahrenheit'] },
        days: { type: 'integer', minimum: 1, maximum: 7 },
      },
      required: ['city', 'unit', 'days'],
      additionalProperties: false,
    },
  },
};
const search: ChatCompletionTool = {
  type: 'function',
  function: {
    name: 'search_orders',
    description: 'Find orders of a customer',
    parameters: { type: 'object', properties: {} },
  },
};
const tools = [search, weather];
const question = 'What is the weather in Berlin for 3 days, in fahrenheit?';
const args = { city: 'Berlin', unit: 'fahrenheit', days: 3 };

test('a question about a tool calls it, with arguments from the question that fit its schema', async () => {
  const { openai } = await start();
  const { choices } = await openai.chat.completions.create({ ...ask(question), tools });
  expect(choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { content: null } });
  const [call] = choices[0]?.message.tool_calls ?? [];
  expect(call).toEqual({
    id: 'call-1',
    type: 'function',
    function: { name: 'get_weather', arguments: JSON.stringify(args) },
  });
});

test('arguments are streamed in pieces', async () => {
  const { groq, sim } = await start();
  const chunks = await all(
    await groq.chat.completions.create({
      ...ask(question, 'llama-3.3-70b-versatile'),
      tools: tools as never,
      stream: true,
    }),
  );
  const deltas = chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? []);
  expect(deltas[0]).toEqual({
    index: 0,
    id: 'call-1',
    type: 'function',
    function: { name: 'get_weather', arguments: '' },
  });
  expect(deltas.length).toBeGreaterThan(5);
  expect(JSON.parse(deltas.map((delta) => delta.function?.arguments ?? '').join(''))).toEqual(args);
  expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('tool_calls');
  expect(sim.bill.entries[0]?.outputTokens).toBeGreaterThan(deltas.length - 1);
});

test('after the result it answers in text', async () => {
  const { openai } = await start();
  const call = {
    id: 'call-1',
    type: 'function' as const,
    function: { name: 'get_weather', arguments: '{}' },
  };
  const { choices } = await openai.chat.completions.create({
    model: 'gpt-4o',
    tools,
    messages: [
      { role: 'user', content: question },
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'call-1', content: '{"temperature": 64, "sky": "clear"}' },
    ],
  });
  expect(choices[0]).toMatchObject({
    finish_reason: 'stop',
    message: { content: 'According to get_weather: temperature 64, sky clear.' },
  });
});

test('tool_choice decides', async () => {
  const { openai, groq } = await start();
  const names = async (rest: object, text = 'Hello there'): Promise<unknown> => {
    const { choices } = await openai.chat.completions.create({ ...ask(text), tools, ...rest });
    const calls = choices[0]?.message.tool_calls ?? [];
    return [
      choices[0]?.finish_reason,
      ...calls.map((call) => call.type === 'function' && call.function.name),
    ];
  };
  const forced = { tool_choice: { type: 'function', function: { name: 'get_weather' } } } as const;
  expect(await names({})).toEqual(['stop']);
  expect(await names({ tool_choice: 'none' }, question)).toEqual(['stop']);
  expect(await names({ tool_choice: 'required' })).toEqual(['tool_calls', 'search_orders']);
  // As OpenAI does it: a call that was forced by name ends with "stop".
  expect(await names(forced)).toEqual(['stop', 'get_weather']);
  const both = 'Search my orders and get the weather in Rome.';
  expect(await names({}, both)).toEqual(['tool_calls', 'search_orders', 'get_weather']);
  expect(await names({ parallel_tool_calls: false }, both)).toEqual(['tool_calls', 'search_orders']);
  const atGroq = await groq.chat.completions.create({
    ...ask('x', 'llama-3.1-8b-instant'),
    tools: tools as never,
    ...forced,
  });
  expect(atGroq.choices[0]?.finish_reason).toBe('tool_calls');
});

test('scripted calls go out as they are, also with broken arguments', async () => {
  const { openai, sim } = await start();
  sim.answerNext({
    toolCalls: [{ id: 'mine', name: 'get_weather', arguments: '{"city": ' }, { name: 'other' }],
  });
  const { choices } = await openai.chat.completions.create({ ...ask('x'), tools });
  expect(choices[0]?.message.tool_calls).toMatchObject([
    { id: 'mine', function: { arguments: '{"city": ' } },
    { id: 'call-1', function: { name: 'other', arguments: '{}' } },
  ]);
});

test('a JSON schema is satisfied, and a label is put where an enum wants one', async () => {
  const { openai, groq } = await start();
  const schema = {
    type: 'object',
    properties: {
      complexity: { enum: ['simple', 'medium', 'complex'] },
      confidence: { type: 'number', maximum: 1, minimum: 0.5 },
    },
    required: ['complexity', 'confidence'],
    additionalProperties: false,
  };
  const prompt =
    'Classify the complexity as simple, medium or complex, as JSON.\nQuery: Explain TCP and UDP.';
  const format = { type: 'json_schema', json_schema: { name: 'label', schema } } as const;
  const { choices } = await openai.chat.completions.create({ ...ask(prompt), response_format: format });
  expect(JSON.parse(choices[0]?.message.content ?? '')).toEqual({ complexity: 'medium', confidence: 1 });
  const loose = await groq.chat.completions.create({
    ...ask(
      'Reply in JSON like {"answer": "...", "score": 0.5, "tags": ["a"]}. What is the capital of France?',
      'llama-3.1-8b-instant',
    ),
    response_format: { type: 'json_object' },
  });
  expect(JSON.parse(loose.choices[0]?.message.content ?? '')).toEqual({
    answer: 'The capital of France is Paris.',
    score: 1,
    tags: ['JSON'],
  });
});

test('the logprobs of a label show the other labels', async () => {
  const { openai } = await start();
  const prompt = 'Classify the complexity as simple, medium or complex.\nQuery: What is 2 + 2?';
  const answer = await openai.chat.completions.create({
    ...ask(prompt),
    logprobs: true,
    top_logprobs: 4,
    max_tokens: 1,
  });
  const [first] = answer.choices[0]?.logprobs?.content ?? [];
  expect(first?.token).toBe('simple');
  expect(first?.top_logprobs.map(({ token }) => token).slice(0, 3)).toEqual(['simple', 'medium', 'complex']);
  const chances = first?.top_logprobs.map(({ logprob }) => Math.exp(logprob)) ?? [];
  expect(chances.reduce((sum, chance) => sum + chance, 0)).toBeLessThanOrEqual(1.0001);
});
