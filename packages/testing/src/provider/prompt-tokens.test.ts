import { expect, test } from 'vitest';
import { promptTokens } from './prompt-tokens.ts';
import { loadTokenizer } from './tokenizer.ts';

const tokenizer = await loadTokenizer();

// The two examples of OpenAI's cookbook, with the counts that the API reported for gpt-4o.
test('counts messages with names as the API does', () => {
  const example = (role: string, content: string, name?: string): object => ({
    role,
    content,
    ...(name && { name }),
  });
  const messages = [
    example(
      'system',
      'You are a helpful, pattern-following assistant that translates corporate jargon into plain English.',
    ),
    example('system', 'New synergies will help drive top-line growth.', 'example_user'),
    example('system', 'Things working well together will increase revenue.', 'example_assistant'),
    example(
      'system',
      "Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage.",
      'example_user',
    ),
    example('system', "Let's talk later when we're less busy about how to do better.", 'example_assistant'),
    example('user', "This late pivot means we don't have time to boil the ocean for the client deliverable."),
  ] as never;
  expect(promptTokens({ model: 'gpt-4o', messages }, tokenizer)).toBe(124);
});

test('counts tools as the API does', () => {
  const tools = [
    {
      type: 'function',
      function: {
        name: 'get_current_weather',
        description: 'Get the current weather in a given location',
        parameters: {
          type: 'object',
          properties: {
            location: { type: 'string', description: 'The city and state, e.g. San Francisco, CA' },
            unit: {
              type: 'string',
              description: 'The unit of temperature to return',
              enum: ['celsius', 'fahrenheit'],
            },
          },
          required: ['location'],
        },
      },
    },
  ];
  const messages = [
    {
      role: 'system',
      content: 'You are a helpful assistant that can answer to questions about the weather.',
    },
    { role: 'user', content: "What's the weather like in San Francisco?" },
  ];
  expect(promptTokens({ model: 'gpt-4o', messages, tools }, tokenizer)).toBe(101);
});

test('counts parts, images, tool calls and schemas', () => {
  const count = (message: object, rest: object = {}): number =>
    promptTokens({ model: 'm', messages: [message as never], ...rest }, tokenizer);
  const text = count({ role: 'user', content: 'Hello there' });
  expect(count({ role: 'user', content: [{ type: 'text', text: 'Hello there' }] })).toBe(text);
  const image = (detail: string): object => ({ type: 'image_url', image_url: { url: 'data:', detail } });
  expect(count({ role: 'user', content: [image('low')] }) - count({ role: 'user', content: '' })).toBe(85);
  expect(count({ role: 'user', content: [image('high')] }) - count({ role: 'user', content: '' })).toBe(765);
  const call = { id: 'c', type: 'function', function: { name: 'add', arguments: '{"a":1}' } };
  expect(count({ role: 'assistant', content: null, tool_calls: [call] })).toBeGreaterThan(
    count({ role: 'assistant', content: null }),
  );
  const schema = { type: 'json_schema', json_schema: { schema: { type: 'object' } } };
  expect(count({ role: 'user', content: 'Hello there' }, { response_format: schema })).toBeGreaterThan(text);
});
