import assert from 'node:assert/strict';
import type { BillEntry } from '../provider/bill.ts';
import { faults } from '../provider/faults.ts';
import { failureOf, type LLMCheck, type LLMWorld, llmCheck } from './llm-check.ts';

/** What an answer in one piece has to be. */
export const answerChecks: readonly LLMCheck[] = [
  llmCheck('answers with everything that is known about the answer', async (world) => {
    world.simulated.answerNext('Forty-two.');
    const generation = await world.generate('What is the answer?');
    const { llm, request, attempt } = world;
    assert.equal(generation.text, 'Forty-two.');
    assert.deepEqual(generation.toolCalls, []);
    assert.equal(generation.finishReason, 'stop');
    assert.deepEqual(
      [generation.provider, generation.model, generation.servedBy],
      [llm.provider, llm.model, llm.id],
    );
    assert.equal(generation.requestId, request.requestId);
    assert.ok(generation.responseId, 'The id of the answer is missing.');
    assert.ok(generation.latencyMs > 0 && Number.isFinite(generation.latencyMs));
    assert.deepEqual(generation.failures, []);
    assert.deepEqual(generation.attempts, [attempt]);
    assert.equal(attempt.outcome, 'served');
    assert.deepEqual(attempt.usage, generation.usage);
    assert.equal(generation.usage.attemptId, attempt.attemptId);
    assert.deepEqual([attempt.provider, attempt.model, attempt.id], [llm.provider, llm.model, llm.id]);
    assert.equal(attempt.requestId, request.requestId);
  }),
  llmCheck('counts what the provider bills, cached and reasoning tokens within the whole', async (world) => {
    const usage = { inputTokens: 2_000, cachedInputTokens: 1_536, outputTokens: 50, reasoningTokens: 20 };
    world.simulated.answerNext({ text: 'Yes.', usage });
    const generation = await world.generate();
    assertUsageIsBilled(generation.usage, world);
    assert.equal(generation.usage.cachedInputTokens, 1_536);
    // Groq tells reasoning tokens only of models that reason.
    if (world.request.provider === 'openai') assert.equal(generation.usage.reasoningTokens, 20);
  }),
  llmCheck('names the model and the tier that served, not those that were asked for', async (world) => {
    const { usage, servedModel } = await world.generate('Hello', { serviceTier: 'auto' });
    assert.equal(world.body.service_tier, 'auto');
    const served = world.simulated.requests[0]?.provider === 'openai' ? 'default' : 'on_demand';
    assert.equal(usage.serviceTier, served);
    assert.equal(usage.servedModel, servedModel);
    assert.ok(servedModel.startsWith(world.llm.model), `${servedModel} did not serve ${world.llm.model}.`);
  }),
  llmCheck('names a served model that is another one', async (world) => {
    const body = {
      id: 'chatcmpl-1',
      model: 'another-model',
      choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 },
    };
    world.simulated.fail(faults.status(200, { body }));
    const generation = await world.generate();
    assert.equal(generation.servedModel, 'another-model');
    assert.equal(generation.model, world.llm.model);
    assert.equal(world.attempt.usage?.servedModel, 'another-model');
  }),
  llmCheck('estimates what the provider does not count, and says so', async (world) => {
    world.simulated.fail(faults.missingUsage());
    world.simulated.answerNext('An answer of several words.');
    const { usage } = await world.generate('A question of several words?');
    assert.equal(usage.source, 'estimated');
    assert.ok(usage.inputTokens > 5 && usage.outputTokens > 3, 'The estimate is too low.');
    assert.equal(world.attempt.outcome, 'served');
  }),
  llmCheck('reads the state of the rate limits', async (world) => {
    world.simulated.fail({
      headers: { 'x-ratelimit-remaining-requests': '17', 'x-ratelimit-reset-tokens': '1m2.5s' },
    });
    const { rateLimit } = await world.generate();
    assert.equal(rateLimit?.remainingRequests, 17);
    assert.equal(rateLimit?.resetTokensMs, 62_500);
    assert.ok((rateLimit?.limitTokens ?? 0) > 0);
  }),
  llmCheck('says why the model stopped', async (world) => {
    world.simulated.answerNext('One two three four five six.', { text: '', finishReason: 'content_filter' });
    assert.equal((await world.generate('Count', { maxTokens: 3 })).finishReason, 'length');
    assert.equal((await world.generate('Count')).finishReason, 'content-filter');
  }),
  llmCheck('sends what the call says', async (world) => {
    await world.generate('Hello', {
      temperature: 0.5,
      maxTokens: 33,
      topP: 0.75,
      stop: ['END'],
      seed: 7,
    });
    const { body } = world;
    assert.equal(body.model, world.llm.model);
    assert.deepEqual(body.messages, [{ role: 'user', content: 'Hello' }]);
    assert.equal(body.temperature, 0.5);
    assert.equal(body.max_tokens ?? body.max_completion_tokens, 33);
    assert.equal(body.top_p, 0.75);
    assert.deepEqual(body.stop, ['END']);
    assert.equal(body.seed, 7);
  }),
  llmCheck('takes from its configuration what the call leaves open, and nothing else', async (world) => {
    const llm = world.withConfig({ temperature: 0.25, maxTokens: 77 });
    await llm.generate('Hello', { temperature: 0 });
    const { body } = world;
    assert.equal(body.temperature, 0);
    assert.equal(body.max_tokens ?? body.max_completion_tokens, 77);
    assert.equal(llm.defaults?.maxTokens, 77);
    for (const name of [
      'top_p',
      'stop',
      'seed',
      'tools',
      'tool_choice',
      'response_format',
      'logprobs',
      'stream',
    ]) {
      assert.ok(!body[name], `${name} was sent, and nobody asked for it.`);
    }
  }),
  llmCheck('sends a whole conversation with images and tool results', async (world) => {
    const toolCalls = [{ id: 'call_1', name: 'look', argumentsText: '{"at":"it"}', arguments: { at: 'it' } }];
    await world.generate([
      { role: 'system', content: 'Be brief.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is this?' },
          { type: 'image', image: 'https://example.com/cat.png', detail: 'low' },
          { type: 'image', image: new Uint8Array([1, 2, 3]), mediaType: 'image/png' },
        ],
      },
      { role: 'assistant', toolCalls },
      { role: 'tool', toolCallId: 'call_1', content: 'A cat.' },
      { role: 'assistant', content: 'A cat.' },
      { role: 'user', content: 'Sure?' },
    ]);
    const messages = world.body.messages as {
      content?: unknown;
      tool_calls?: unknown;
      tool_call_id?: unknown;
    }[];
    assert.equal(messages.length, 6);
    assert.deepEqual(messages[1]?.content, [
      { type: 'text', text: 'What is this?' },
      { type: 'image_url', image_url: { url: 'https://example.com/cat.png', detail: 'low' } },
      { type: 'image_url', image_url: { url: 'data:image/png;base64,AQID' } },
    ]);
    assert.deepEqual(messages[2]?.tool_calls, [
      { id: 'call_1', type: 'function', function: { name: 'look', arguments: '{"at":"it"}' } },
    ]);
    assert.equal(messages[3]?.tool_call_id, 'call_1');
  }),
  llmCheck('asks for JSON in the shape that is wanted', async (world) => {
    const schema = {
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
      additionalProperties: false,
    };
    const { text } = await world.generate('Which city?', {
      responseFormat: { type: 'json-schema', name: 'place', schema, strict: true },
    });
    assert.equal(typeof JSON.parse(text).city, 'string');
    assert.deepEqual(world.body.response_format, {
      type: 'json_schema',
      json_schema: { name: 'place', schema, strict: true },
    });
    await world.generate('Answer in JSON', { responseFormat: { type: 'json' } });
    const second = world.simulated.requests[1]?.body as Record<string, unknown>;
    assert.deepEqual(second.response_format, { type: 'json_object' });
  }),
  llmCheck('returns log-probabilities, or the refusal of a provider that has none', async (world) => {
    world.simulated.answerNext('One two three.');
    const call = world.generate('Count', { logprobs: 2 });
    if (world.llm.capabilities?.logprobs === false) {
      const error = (await failureOf(call)) as { kind?: unknown };
      assert.equal(error.kind, 'bad-request');
      return;
    }
    const { logprobs = [], text } = await call;
    assert.equal(logprobs.map(({ token }) => token).join(''), text);
    for (const { logprob, alternatives } of logprobs) {
      assert.ok(logprob <= 0);
      assert.equal(alternatives.length, 2);
    }
  }),
  llmCheck('returns reasoning that the provider shows apart from the text', async (world) => {
    world.simulated.answerNext({ reasoning: 'Let me think.', text: 'Done.' });
    const { text, reasoningText } = await world.generate();
    assert.equal(text, 'Done.');
    const shown = world.request.provider === 'groq' ? 'Let me think.' : undefined;
    assert.equal(reasoningText, shown);
  }),
];

/** The usage that was reported is the one that is billed. */
export function assertUsageIsBilled(
  usage: {
    inputTokens: number;
    outputTokens: number;
    cachedInputTokens?: number | undefined;
    source?: string | undefined;
  },
  world: LLMWorld,
): void {
  const entry: BillEntry | undefined = world.simulated.bill.entries[0];
  assert.equal(world.simulated.bill.entries.length, 1);
  assert.equal(usage.source, 'provider');
  assert.equal(usage.inputTokens, entry?.inputTokens);
  assert.equal(usage.outputTokens, entry?.outputTokens);
  assert.equal(usage.cachedInputTokens ?? 0, entry?.cachedInputTokens);
}
