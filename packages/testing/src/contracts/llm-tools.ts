import assert from 'node:assert/strict';
import type { Tool } from '@synapsekit/core';
import { type LLMCheck, llmCheck, readStream, textOf } from './llm-check.ts';

const tools: readonly Tool[] = [
  {
    name: 'get_weather',
    description: 'Tells the weather',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
  { name: 'get_time' },
];

const wanted = {
  toolCalls: [
    { id: 'call_a', name: 'get_weather', arguments: { city: 'Zürich', days: [1, 2] } },
    { id: 'call_b', name: 'get_time' },
    { id: 'call_c', name: 'get_weather', arguments: '{"city": "Par' },
  ],
};

const parsed = [
  { id: 'call_a', name: 'get_weather', arguments: { city: 'Zürich', days: [1, 2] } },
  { id: 'call_b', name: 'get_time', arguments: {} },
  { id: 'call_c', name: 'get_weather', arguments: undefined },
];

/** How tools are offered, and what comes of it. */
export const toolChecks: readonly LLMCheck[] = [
  llmCheck('offers tools', async (world) => {
    await world.generate('Hello', { tools, toolChoice: { name: 'get_time' }, parallelToolCalls: false });
    const { body } = world;
    assert.deepEqual(body.tool_choice, { type: 'function', function: { name: 'get_time' } });
    assert.equal(body.parallel_tool_calls, false);
    const sent = body.tools as { type: string; function: { name: string; parameters?: unknown } }[];
    assert.deepEqual(
      sent.map(({ type, function: { name } }) => [type, name]),
      [
        ['function', 'get_weather'],
        ['function', 'get_time'],
      ],
    );
    assert.deepEqual(sent[0]?.function.parameters, tools[0]?.parameters);
  }),
  llmCheck('reads tool calls, broken arguments included', async (world) => {
    world.simulated.answerNext(wanted);
    const { toolCalls, finishReason, text } = await world.generate('Weather?', { tools });
    assert.equal(finishReason, 'tool-calls');
    assert.equal(text, '');
    assert.deepEqual(
      toolCalls.map(({ id, name, arguments: args }) => ({ id, name, arguments: args })),
      parsed,
    );
    assert.ok(toolCalls[2]?.argumentsError);
    assert.equal(toolCalls[2]?.argumentsText, '{"city": "Par');
  }),
  llmCheck('reads streamed tool calls, piece by piece and whole', async (world) => {
    world.simulated.answerNext(wanted);
    const stream = world.stream('Weather?', { tools });
    const { events, error } = await readStream(stream);
    assert.equal(error, undefined);
    assert.equal(textOf(events), '');
    const { toolCalls, finishReason } = await stream.result;
    assert.equal(finishReason, 'tool-calls');
    assert.deepEqual(
      toolCalls.map(({ id, name, arguments: args }) => ({ id, name, arguments: args })),
      parsed,
    );
    const complete = events.flatMap((event) => (event.type === 'tool-call' ? [event.toolCall] : []));
    assert.deepEqual(complete, toolCalls);
    for (const [index, { id, name, argumentsText }] of toolCalls.entries()) {
      const deltas = events.flatMap((event) =>
        event.type === 'tool-call-delta' && event.index === index ? [event] : [],
      );
      assert.deepEqual([deltas[0]?.id, deltas[0]?.name], [id, name]);
      assert.equal(deltas.map(({ argumentsDelta }) => argumentsDelta).join(''), argumentsText);
    }
  }),
];
