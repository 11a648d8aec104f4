import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readAnswer } from './answer.ts';
import { StreamAssembler } from './stream-assembler.ts';

const chunk = (delta: object, more: object = {}) => ({
  id: 'chatcmpl-1',
  model: 'm-1',
  choices: [{ index: 0, delta, finish_reason: null, ...more }],
});
const tool = (index: number | undefined, part: { id?: string; name?: string; arguments?: string }) =>
  chunk({ tool_calls: [{ index, id: part.id, function: { name: part.name, arguments: part.arguments } }] });

test('puts text together and says what each chunk adds', () => {
  const assembler = new StreamAssembler();
  expect(assembler.begun).toBe(false);
  expect(assembler.push(chunk({ role: 'assistant', content: '' }))).toEqual([]);
  expect(assembler.begun).toBe(true);
  expect(assembler.push(chunk({ content: 'Hel' }))).toEqual([{ type: 'text', text: 'Hel' }]);
  expect(assembler.push(chunk({ content: 'lo' }))).toEqual([{ type: 'text', text: 'lo' }]);
  expect(assembler.finished).toBe(false);
  expect(assembler.push(chunk({}, { finish_reason: 'stop' }))).toEqual([]);
  expect(assembler.finished).toBe(true);
  expect(assembler.push({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 2 } })).toEqual([]);
  expect(assembler.answer()).toMatchObject({
    text: 'Hello',
    finishReason: 'stop',
    usage: { inputTokens: 3, outputTokens: 2 },
    servedModel: 'm-1',
    responseId: 'chatcmpl-1',
  });
});

test('puts interleaved tool calls together', () => {
  const assembler = new StreamAssembler();
  const events = [
    tool(0, { id: 'a', name: 'add', arguments: '' }),
    tool(1, { id: 'b', name: 'now', arguments: '{}' }),
    tool(0, { arguments: '{"x":' }),
    tool(0, { arguments: '1}' }),
    tool(0, { arguments: '' }),
    chunk({}, { finish_reason: 'tool_calls' }),
  ].flatMap((each) => assembler.push(each));
  expect(events).toEqual([
    { type: 'tool-call-delta', index: 0, id: 'a', name: 'add', argumentsDelta: '' },
    { type: 'tool-call-delta', index: 1, id: 'b', name: 'now', argumentsDelta: '{}' },
    { type: 'tool-call-delta', index: 0, argumentsDelta: '{"x":' },
    { type: 'tool-call-delta', index: 0, argumentsDelta: '1}' },
    { type: 'tool-call', toolCall: { id: 'a', name: 'add', argumentsText: '{"x":1}', arguments: { x: 1 } } },
    { type: 'tool-call', toolCall: { id: 'b', name: 'now', argumentsText: '{}', arguments: {} } },
  ]);
  expect(assembler.answer().finishReason).toBe('tool-calls');
});

test('hosts that number no tool calls are understood by their ids', () => {
  const assembler = new StreamAssembler();
  for (const each of [
    tool(undefined, { id: 'a', name: 'f', arguments: '{"x"' }),
    tool(undefined, { arguments: ':1}' }),
    tool(undefined, { id: 'b', name: 'g', arguments: '{}' }),
  ]) {
    assembler.push(each);
  }
  expect(assembler.answer().toolCalls.map(({ id, arguments: args }) => [id, args])).toEqual([
    ['a', { x: 1 }],
    ['b', {}],
  ]);
});

test('keeps reasoning, refusals and log-probabilities apart from the text', () => {
  const assembler = new StreamAssembler();
  expect(assembler.push(chunk({ reasoning: 'hm' }))).toEqual([{ type: 'reasoning', text: 'hm' }]);
  assembler.push(chunk({ refusal: 'No.' }, { logprobs: { content: [{ token: 'No', logprob: -1 }] } }));
  assembler.push(chunk({}, { finish_reason: 'stop' }));
  expect(assembler.answer()).toMatchObject({
    text: 'No.',
    reasoningText: 'hm',
    finishReason: 'content-filter',
    logprobs: [{ token: 'No', logprob: -1, alternatives: [] }],
  });
});

test('other choices and chunks without any are passed over', () => {
  const assembler = new StreamAssembler();
  expect(assembler.push({ choices: [{ index: 1, delta: { content: 'x' } }] })).toEqual([]);
  expect(assembler.push({ prompt_filter_results: [], choices: [] })).toEqual([]);
  expect(assembler.push({})).toEqual([]);
  expect(assembler.answer().text).toBe('');
});

test.each([
  ['an error of its own', { error: { message: 'm', type: 'server_error' } }],
  ['an error of the choice', { choices: [{ index: 0, error: { message: 'm' } }] }],
  ['an error of Groq', { choices: [], x_groq: { error: 'over capacity' } }],
])('a chunk with %s ends the stream', (_, bad) => {
  const assembler = new StreamAssembler();
  assembler.push({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 2 } });
  expect(() => assembler.push(bad)).toThrow(
    expect.objectContaining({ reason: 'in-band', usage: { inputTokens: 3, outputTokens: 2 } }),
  );
});

test.each([[null], ['text'], [7], [[]]])('a chunk that is no object (%j) ends the stream', (bad) => {
  expect(() => new StreamAssembler().push(bad)).toThrow(expect.objectContaining({ reason: 'malformed' }));
});

test('however an answer is cut into chunks, it is the answer in one piece', () => {
  const pieces = fc.array(fc.string({ minLength: 1 }), { maxLength: 8 });
  const calls = fc.array(fc.array(fc.string(), { minLength: 1, maxLength: 4 }), { maxLength: 3 });
  fc.assert(
    fc.property(pieces, calls, (texts, toolArguments) => {
      const assembler = new StreamAssembler();
      for (const content of texts) assembler.push(chunk({ content }));
      for (const [index, parts] of toolArguments.entries()) {
        for (const [turn, part] of parts.entries()) {
          assembler.push(tool(index, { ...(turn === 0 && { id: `c${index}`, name: 'f' }), arguments: part }));
        }
      }
      assembler.push(chunk({}, { finish_reason: 'stop' }));
      const whole = readAnswer({
        id: 'chatcmpl-1',
        model: 'm-1',
        choices: [
          {
            finish_reason: 'stop',
            message: {
              content: texts.join(''),
              tool_calls: toolArguments.map((parts, index) => ({
                id: `c${index}`,
                function: { name: 'f', arguments: parts.join('') },
              })),
            },
          },
        ],
      });
      expect(assembler.answer()).toEqual(whole);
    }),
  );
});
