import assert from 'node:assert/strict';
import type { ProviderError, ProviderErrorKind } from '@synapsekit/core';
import type { Fault } from '../provider/fault.ts';
import { faults } from '../provider/faults.ts';
import { failureOf, type LLMCheck, type LLMWorld, llmCheck, promptlyMs, settleMs } from './llm-check.ts';

type Row = readonly [what: string, fault: Fault, kind: ProviderErrorKind];

const contextLength = {
  message: "This model's maximum context length is 8192 tokens.",
  type: 'server_error',
};
const tooLarge = {
  message: 'Request too large on tokens per minute (TPM): Limit 6000, Requested 14810.',
  type: 'tokens',
  code: 'rate_limit_exceeded',
};

const refusals: readonly Row[] = [
  ['a wrong key', faults.unauthorized(), 'auth'],
  ['a key that may not', faults.permissionDenied(), 'permission'],
  ['an unknown model', faults.modelNotFound(), 'model-not-found'],
  ['a retired model', faults.modelDecommissioned(), 'model-not-found'],
  ['a prompt that is too long', faults.contextLengthExceeded(), 'context-length'],
  [
    'a prompt that is too long, disguised as a 500',
    faults.status(500, { error: contextLength }),
    'context-length',
  ],
  ['content that the filter refuses', faults.contentPolicyViolation(), 'content-filter'],
  ['a rate limit', faults.rateLimited(), 'rate-limit'],
  ['an empty account', faults.outOfQuota(), 'quota'],
  ['a request above the whole rate limit', faults.status(413, { error: tooLarge }), 'too-large'],
  ['no capacity', faults.capacityExceeded(), 'capacity'],
  ['status 400', faults.status(400, { body: '' }), 'bad-request'],
  ['status 408', faults.status(408), 'server'],
  ['status 409', faults.status(409), 'conflict'],
  ['status 422', faults.status(422), 'bad-request'],
  ['status 500', faults.serverError(), 'server'],
  ['status 502 with a web page', faults.status(502, { body: '<html>Bad gateway</html>' }), 'server'],
  ['status 503', faults.overloaded(), 'server'],
  ['status 529', faults.status(529), 'server'],
];

const unreadable: readonly Row[] = [
  ['a web page', faults.html(), 'malformed'],
  ['an empty object', faults.emptyObject(), 'malformed'],
  ['half a JSON document', faults.malformedJson(), 'malformed'],
  ['no choices', faults.status(200, { body: { choices: [] } }), 'malformed'],
  ['an empty body', faults.status(200, { body: '' }), 'malformed'],
];

/** What becomes of requests that fail. */
export const failureChecks: readonly LLMCheck[] = [
  ...refusals.map(([what, fault, kind]) =>
    llmCheck(`reports ${what} as "${kind}", at once and free of charge`, async (world) => {
      world.simulated.fail(fault, { times: Number.POSITIVE_INFINITY });
      let error: unknown;
      const tookMs = await settleMs(failureOf(world.generate()).then((thrown) => (error = thrown)));
      assertFailure(error, kind, world);
      assert.ok(tookMs < promptlyMs, `It took ${tookMs} ms: did the SDK wait and try again?`);
      const { status, requestId } = error as ProviderError;
      assert.equal(status, world.request.status);
      assert.equal(requestId, world.request.requestId);
      assert.equal(world.attempt.outcome, 'refused');
      assert.equal(world.attempt.usage, undefined);
    }),
  ),
  ...unreadable.map(([what, fault, kind]) =>
    llmCheck(`takes ${what} with status 200 for no answer`, async (world) => {
      world.simulated.fail(fault);
      assertFailure(await failureOf(world.generate()), kind, world);
      assert.equal(world.attempt.outcome, 'unanswered');
      assertInputIsCharged(world);
    }),
  ),
  llmCheck('charges the usage of an answer that is no use', async (world) => {
    const usage = { prompt_tokens: 70, completion_tokens: 9, total_tokens: 79 };
    world.simulated.fail(faults.status(200, { body: { choices: [], usage } }));
    assertFailure(await failureOf(world.generate()), 'malformed', world);
    assert.equal(world.attempt.outcome, 'partial');
    assert.equal(world.attempt.usage?.inputTokens, 70);
    assert.equal(world.attempt.usage?.outputTokens, 9);
    assert.equal(world.attempt.usage?.source, 'provider');
  }),
  ...(
    [
      ['dropped before the answer', faults.dropped()],
      ['reset before the answer', faults.reset()],
      ['closed within the answer', faults.shortBody()],
    ] as const
  ).map(([what, fault]) =>
    llmCheck(`charges the input of a request whose connection is ${what}`, async (world) => {
      world.simulated.fail(fault);
      assertFailure(await failureOf(world.generate()), 'connection', world);
      assert.equal(world.attempt.outcome, 'unanswered');
      assertInputIsCharged(world);
    }),
  ),
  llmCheck('charges nothing for a connection that was refused', async (world) => {
    world.simulated.refuseConnections();
    const error = (await failureOf(world.generate())) as Partial<ProviderError>;
    assert.equal(error.code, 'provider');
    assert.equal(error.kind, 'connection');
    assert.equal(world.attempt.outcome, 'unsent');
    assert.equal(world.attempt.usage, undefined);
    assert.equal(world.simulated.requests.length, 0);
  }),
  ...(
    [
      ['seconds', '3', 3_000],
      ['a fraction of a second', '0.25', 250],
      ['zero', '0', 0],
      ['34 days, more than a timer can hold', '3000000', 2_147_483_647],
      ['a date in the past', 'Mon, 01 Jan 2001 00:00:00 GMT', 0],
      ['nonsense', 'soon', undefined],
    ] as const
  ).map(([what, retryAfter, retryAfterMs]) =>
    llmCheck(`passes on a Retry-After of ${what}, and does not wait itself`, async (world) => {
      world.simulated.fail(faults.rateLimited({ retryAfter }));
      let error: unknown;
      const tookMs = await settleMs(failureOf(world.generate()).then((thrown) => (error = thrown)));
      assert.equal((error as ProviderError).retryAfterMs, retryAfterMs);
      assert.ok(tookMs < promptlyMs);
      assert.equal(world.simulated.requests.length, 1);
    }),
  ),
  llmCheck('passes on a Retry-After date, by the clock of the server', async (world) => {
    const headers = { date: 'Mon, 23 Nov 2026 12:00:00 GMT', 'retry-after': 'Mon, 23 Nov 2026 12:00:30 GMT' };
    world.simulated.fail(faults.rateLimited({ headers }));
    assert.equal(((await failureOf(world.generate())) as ProviderError).retryAfterMs, 30_000);
  }),
  llmCheck('passes on a wait that stands only in the message', async (world) => {
    const error = { message: 'Please try again in 5.289s.', type: 'tokens', code: 'rate_limit_exceeded' };
    world.simulated.fail(faults.status(429, { error }));
    assert.equal(((await failureOf(world.generate())) as ProviderError).retryAfterMs, 5_289);
  }),
  llmCheck('works again after a failure', async (world) => {
    world.simulated.fail(faults.serverError());
    await failureOf(world.generate());
    assert.ok((await world.generate()).text.length > 0);
    assert.deepEqual(
      world.attempts.map(({ outcome }) => outcome),
      ['refused', 'served'],
    );
  }),
];

function assertFailure(error: unknown, kind: ProviderErrorKind, world: LLMWorld): void {
  const failure = error as Partial<ProviderError> | undefined;
  assert.equal(failure?.code, 'provider', `Not a ProviderError: ${String(error)}`);
  assert.equal(failure?.kind, kind);
  assert.equal(failure?.provider, world.llm.provider);
  assert.equal(failure?.model, world.llm.model);
  assert.equal(failure?.attemptId, world.attempt.attemptId);
  assert.equal(failure?.emitted, false);
  assert.equal(world.simulated.requests.length, 1, 'It was sent again.');
}

function assertInputIsCharged({ attempt }: LLMWorld): void {
  assert.ok((attempt.usage?.inputTokens ?? 0) > 0, 'The input is not charged.');
  assert.equal(attempt.usage?.outputTokens, 0);
  assert.equal(attempt.usage?.source, 'estimated');
}
