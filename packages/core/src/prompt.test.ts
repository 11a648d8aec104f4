import { expect, test } from 'vitest';
import { promptText, toMessages } from './prompt.ts';
import { toToolCall } from './tool.ts';

test('a string is one user message', () => {
  expect(toMessages('Hi')).toEqual([{ role: 'user', content: 'Hi' }]);
});

test.each([[[]], [5], [undefined], [[{ role: 'robot', content: 'x' }]], [[null]]])('refuses %o', (prompt) => {
  expect(() => toMessages(prompt as never)).toThrow('prompt');
});

test('the text of a conversation leaves pictures out', () => {
  const text = promptText([
    { role: 'system', content: 'Be short.' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'What is this?' },
        { type: 'image', image: 'https://example.com/x.png' },
      ],
    },
    { role: 'assistant', toolCalls: [] },
  ]);
  expect(text).toBe('Be short.\nWhat is this?\n');
});

test('tool arguments are parsed, and broken ones are no exception', () => {
  expect(toToolCall('1', 'add', '{"a":1}')).toMatchObject({ arguments: { a: 1 } });
  expect(toToolCall('1', 'now', '')).toMatchObject({ arguments: {} });
  const broken = toToolCall('1', 'add', '{"secret": 12');
  expect(broken.arguments).toBeUndefined();
  expect(broken.argumentsError).toContain('not valid JSON');
  expect(broken.argumentsError).not.toContain('secret');
});

test.each([
  [{ role: 'user', content: null }],
  [{ role: 'user', content: [null] }],
  [{ role: 'user', content: [{ type: 'text' }] }],
  [{ role: 'system' }],
  [{ role: 'tool', toolCallId: '1', content: 5 }],
  [{ role: 'assistant', content: null }],
])('refuses a message without readable content: %o', (message) => {
  expect(() => toMessages([message as never])).toThrow('prompt[0].content must be text');
});
