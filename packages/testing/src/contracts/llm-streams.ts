import assert from 'node:assert/strict';
import type { ProviderError, StreamEvent } from '@synapsekit/core';
import { faults } from '../provider/faults.ts';
import { assertUsageIsBilled } from './llm-answers.ts';
import { failureOf, type LLMCheck, type LLMWorld, llmCheck, pause, readStream, textOf } from './llm-check.ts';

const essay = 'The quick brown fox jumps over the lazy dog.';

/** How an answer comes in pieces. */
export const streamChecks: readonly LLMCheck[] = [
  llmCheck('hands out a stream piece by piece, and its whole as the result', async (world) => {
    world.simulated.answerNext(essay);
    const stream = world.stream();
    const { events, error } = await readStream(stream);
    assert.equal(error, undefined);
    assert.ok(events.filter(({ type }) => type === 'text').length > 3, 'The text came in one piece.');
    assert.equal(textOf(events), essay);
    assert.deepEqual(events.at(-1), { type: 'finish', finishReason: 'stop' });
    const generation = await stream.result;
    const { attempt, request } = world;
    assert.equal(generation.text, essay);
    assert.equal(generation.finishReason, 'stop');
    assert.equal(generation.requestId, request.requestId);
    assert.ok(generation.responseId);
    assert.ok(generation.rateLimit);
    assert.deepEqual(generation.attempts, [attempt]);
    assert.equal(attempt.outcome, 'served');
    assert.ok(generation.firstTokenMs !== undefined && generation.firstTokenMs <= generation.latencyMs);
    assertUsageIsBilled(generation.usage, world);
  }),
  llmCheck('asks for the usage of a stream, and shows it only to those who want it', async (world) => {
    const usageEvents = (events: readonly StreamEvent[]) => events.filter(({ type }) => type === 'usage');
    const hidden = await readStream(world.stream());
    assert.deepEqual(usageEvents(hidden.events), []);
    assert.equal(world.attempt.usage?.source, 'provider');
    const stream = world.llm.stream('Hello', { includeUsage: true });
    const shown = await readStream(stream);
    const { usage } = await stream.result;
    assert.deepEqual(usageEvents(shown.events), [{ type: 'usage', usage }]);
    assert.equal(shown.events.at(-1)?.type, 'finish');
    assert.equal(usage.source, 'provider');
  }),
  llmCheck('sends nothing before a stream is read, and sends it for the result alone', async (world) => {
    const stream = world.stream();
    await pause(150);
    assert.equal(world.simulated.requests.length, 0, 'A stream was sent that nobody reads.');
    assert.ok((await stream.result).text.length > 0);
    assert.equal(world.request.stream, true);
    assert.equal(world.attempt.outcome, 'served');
  }),
  llmCheck('returns log-probabilities and reasoning of a stream', async (world) => {
    world.simulated.answerNext({ reasoning: 'Let me think.', text: essay });
    const logprobs = world.llm.capabilities?.logprobs === false ? undefined : 1;
    const stream = world.stream('Hello', { logprobs });
    const { events } = await readStream(stream);
    const generation = await stream.result;
    assert.equal(generation.text, essay);
    if (logprobs !== undefined) assert.equal(generation.logprobs?.map(({ token }) => token).join(''), essay);
    const thought = events.map((event) => (event.type === 'reasoning' ? event.text : '')).join('');
    assert.equal(thought, generation.reasoningText ?? '');
    assert.equal(thought, world.request.provider === 'groq' ? 'Let me think.' : '');
  }),
  llmCheck('is not confused by keep-alives, empty deltas and bytes that drip', async (world) => {
    world.simulated.fail({ ...faults.keepAlives(2), ...faults.emptyDeltas(2), ...faults.drip(1_000, 0) });
    world.simulated.answerNext('Naïve café 漢字 🙂 text.');
    const { events } = await readStream(world.stream());
    assert.equal(textOf(events), 'Naïve café 漢字 🙂 text.');
    assert.ok(
      events.every((event) => event.type !== 'text' || event.text !== ''),
      'An empty piece was handed out.',
    );
  }),
  llmCheck(
    'takes a finish reason for the end, with or without [DONE], usage estimated where it is lost',
    async (world) => {
      world.simulated.answerNext(essay, essay);
      world.simulated.fail(faults.missingDone());
      assert.equal((await world.stream().result).text, essay);
      world.simulated.fail(faults.missingUsage());
      const { usage, text } = await world.stream().result;
      assert.equal(text, essay);
      assert.equal(usage.source, 'estimated');
      assert.ok(usage.inputTokens > 0 && usage.outputTokens > 5);
    },
  ),
  ...(
    [
      ['ends without a finish reason', faults.endAfter(3), 'truncated'],
      ['is complete but for its finish reason', faults.missingFinishReason(), 'truncated'],
      ['is reset', faults.resetAfter(3), 'connection'],
      ['is hung up on', faults.hangUpAfter(3), 'connection'],
      ['reports an error', faults.errorAfter(3), 'server'],
      ['reports a rate limit', faults.errorAfter(3, 'rate_limit_exceeded'), 'rate-limit'],
      [
        'reports that the prompt was too long',
        faults.errorAfter(3, 'context_length_exceeded'),
        'context-length',
      ],
    ] as const
  ).map(([what, fault, kind]) =>
    llmCheck(`fails a stream that ${what}, and charges what came`, async (world) => {
      world.simulated.answerNext(essay);
      world.simulated.fail(fault);
      const stream = world.stream();
      const { events, error } = await readStream(stream);
      assertStreamFailure(error, kind, world);
      assert.ok(
        essay.startsWith(textOf(events)) && textOf(events).length > 3,
        'The pieces before it were lost.',
      );
      assert.equal(await failureOf(stream.result), error);
      const { attempt } = world;
      assert.equal(attempt.outcome, 'partial');
      assert.ok((attempt.usage?.inputTokens ?? 0) > 0 && (attempt.usage?.outputTokens ?? 0) > 0);
    }),
  ),
  ...(
    [
      ['an error in place of the first piece', faults.errorAfter(0), 'server', 'refused'],
      ['an error status', faults.overloaded(), 'server', 'refused'],
      ['a reset before the answer', faults.reset(), 'connection', 'unanswered'],
      ['a web page', faults.html(), 'malformed', 'unanswered'],
      ['an empty object', faults.emptyObject(), 'malformed', 'unanswered'],
    ] as const
  ).map(([what, fault, kind, outcome]) =>
    llmCheck(`fails a stream that brings ${what}, so that another may start over`, async (world) => {
      world.simulated.fail(fault);
      const { events, error } = await readStream(world.stream());
      assert.deepEqual(events, []);
      assertStreamFailure(error, kind, world, { emitted: false });
      assert.equal(world.attempt.outcome, outcome);
      assert.equal(world.attempt.usage !== undefined, outcome === 'unanswered');
    }),
  ),
];

function assertStreamFailure(
  error: unknown,
  kind: ProviderError['kind'],
  world: LLMWorld,
  { emitted = true } = {},
): void {
  const failure = error as Partial<ProviderError> | undefined;
  assert.equal(failure?.code, 'provider', `Not a ProviderError: ${String(error)}`);
  assert.equal(failure?.kind, kind);
  assert.equal(failure?.emitted, emitted);
  assert.equal(failure?.attemptId, world.attempt.attemptId);
  assert.equal(world.simulated.requests.length, 1, 'A broken stream was asked for again.');
}
