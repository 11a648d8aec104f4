import { expect, test } from 'vitest';
import { readAnswer } from './answer.ts';
import { WireFailure } from './wire-failure.ts';

const completion = (message: object, more: object = {}, choice: object = {}) => ({
  id: 'chatcmpl-1',
  model: 'gpt-4o-2024-08-06',
  choices: [{ index: 0, message, finish_reason: 'stop', ...choice }],
  ...more,
});

test('reads text, identity and usage', () => {
  const body = completion(
    { role: 'assistant', content: 'Hello' },
    {
      service_tier: 'flex',
      usage: { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 },
      x_groq: { id: 'req_1' },
    },
  );
  expect(readAnswer(body)).toMatchObject({
    text: 'Hello',
    toolCalls: [],
    finishReason: 'stop',
    rawFinishReason: 'stop',
    usage: { inputTokens: 5, outputTokens: 1 },
    servedModel: 'gpt-4o-2024-08-06',
    serviceTier: 'flex',
    responseId: 'chatcmpl-1',
    requestId: 'req_1',
  });
});

test('reads tool calls, also with broken, missing and unquoted arguments', () => {
  const call = (id: string | undefined, args: unknown) => ({
    id,
    type: 'function',
    function: { name: 'f', arguments: args },
  });
  const { toolCalls, finishReason } = readAnswer(
    completion({
      content: null,
      tool_calls: [call('a', '{"x":1}'), call('b', '{"x":'), call(undefined, ''), call('d', { y: 2 })],
    }),
  );
  // OpenAI says "stop" where a tool was forced.
  expect(finishReason).toBe('tool-calls');
  expect(toolCalls).toEqual([
    { id: 'a', name: 'f', argumentsText: '{"x":1}', arguments: { x: 1 } },
    {
      id: 'b',
      name: 'f',
      argumentsText: '{"x":',
      arguments: undefined,
      argumentsError: expect.stringContaining('not valid JSON'),
    },
    { id: 'call_2', name: 'f', argumentsText: '', arguments: {} },
    { id: 'd', name: 'f', argumentsText: '{"y":2}', arguments: { y: 2 } },
  ]);
});

test.each([
  ['length', 'length'],
  ['tool_calls', 'tool-calls'],
  ['content_filter', 'content-filter'],
  ['eos_token', 'other'],
  ['constructor', 'other'],
])('a model that stopped for "%s"', (finish_reason, finishReason) => {
  expect(readAnswer(completion({ content: 'x' }, {}, { finish_reason }))).toMatchObject({
    finishReason,
    rawFinishReason: finish_reason,
  });
});

test('a refusal is the filter at work, and its words are the text', () => {
  expect(readAnswer(completion({ content: null, refusal: 'I cannot help with that.' }))).toMatchObject({
    text: 'I cannot help with that.',
    finishReason: 'content-filter',
  });
});

test('reads reasoning under both of its names, content in parts, and log-probabilities', () => {
  expect(readAnswer(completion({ content: 'x', reasoning: 'hm' })).reasoningText).toBe('hm');
  expect(readAnswer(completion({ content: 'x', reasoning_content: 'hm' })).reasoningText).toBe('hm');
  expect(
    readAnswer(completion({ content: [{ type: 'text', text: 'a' }, { type: 'x' }, { text: 'b' }] })).text,
  ).toBe('ab');
  const logprobs = {
    content: [
      { token: 'x', logprob: -0.1, top_logprobs: [{ token: 'y', logprob: -2 }, { token: 'z' }] },
      { token: 'q' },
    ],
  };
  expect(readAnswer(completion({ content: 'x' }, {}, { logprobs })).logprobs).toEqual([
    { token: 'x', logprob: -0.1, alternatives: [{ token: 'y', logprob: -2 }] },
  ]);
});

test.each<[string, unknown]>([
  ['nothing', undefined],
  ['an empty text', ''],
  ['a web page', '<html>Sign in</html>'],
  ['a number', 7],
  ['a list', []],
  ['an empty object', {}],
  ['no choices', { choices: [] }],
  ['a choice without a message', { choices: [{ index: 0 }] }],
])('%s is no answer', (_, body) => {
  const failure = catchFailure(body);
  expect(failure.reason).toBe('malformed');
  expect(failure.message).not.toContain('Sign in');
});

test('JSON that was sent as something else is read all the same: it was paid for', () => {
  const body = { ...completion({ content: 'Hi' }), usage: { prompt_tokens: 5, completion_tokens: 9 } };
  expect(readAnswer(JSON.stringify(body))).toMatchObject({
    text: 'Hi',
    usage: { inputTokens: 5, outputTokens: 9 },
  });
});

test('of several choices the first by number counts, wherever it stands', () => {
  const choice = (index: number) => ({ index, message: { content: `${index}` }, finish_reason: 'stop' });
  expect(readAnswer({ choices: [choice(1), choice(0)] }).text).toBe('0');
  expect(readAnswer({ choices: [choice(1), choice(2)] }).text).toBe('1');
});

test('usage that comes without an answer is kept: it is billed', () => {
  const usage = { prompt_tokens: 5, completion_tokens: 9 };
  expect(catchFailure({ choices: [], usage }).usage).toEqual({ inputTokens: 5, outputTokens: 9 });
});

test('an error under status 200 is an error', () => {
  expect(catchFailure({ error: { message: 'm', code: 502 } })).toMatchObject({ reason: 'in-band' });
  expect(catchFailure(completion({ content: '' }, {}, { error: { message: 'm' } }))).toMatchObject({
    reason: 'in-band',
  });
});

function catchFailure(body: unknown): WireFailure {
  try {
    readAnswer(body);
  } catch (error) {
    if (error instanceof WireFailure) return error;
  }
  throw new Error('No failure was thrown.');
}
