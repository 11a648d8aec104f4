import { describe, expect, test } from 'vitest';
import { defineLLM, type LLMDefinition } from './define-llm.ts';
import {
  AllProvidersFailedError,
  BudgetExceededError,
  CircuitBreakerOpen,
  ProviderError,
  type ProviderErrorKind,
  type ProviderFailure,
} from './errors.ts';
import { anyAvailable, failoverGenerate, failoverStream } from './failover.ts';
import type { LLM } from './llm.ts';
import { parseUsd } from './money.ts';
import type { CallOptions } from './options.ts';
import type { GenerationStream, StreamEvent } from './stream.ts';

function failure(kind: ProviderErrorKind, retryAfterMs?: number): ProviderError {
  return new ProviderError(`It says ${kind}.`, { kind, provider: 'p', model: 'm', retryAfterMs });
}

const lost = failure('connection');

/** A model of this name that throws this, or answers with its name. */
function model(provider: string, error?: unknown, more: Partial<LLMDefinition> = {}): LLM {
  return defineLLM({
    provider,
    model: 'm',
    generate: () => {
      if (error !== undefined) throw error;
      return provider;
    },
    ...more,
  });
}

function refusal(neededUsd: string): BudgetExceededError {
  return new BudgetExceededError('Too dear.', {
    guard: 'g',
    limit: 'daily',
    limitUsd: '1',
    committedUsd: '0.9',
    heldUsd: '0',
    neededUsd,
    fits: 'window',
    retryAfterMs: 60_000,
  });
}

/** A model whose guard would hold so much, and refuses if told to. */
function guarded(provider: string, holdUsd: string, error?: unknown): LLM {
  const inner = model(provider);
  return {
    ...inner,
    quoteHold: () => ({ pico: parseUsd(holdUsd) }),
    ...(error !== undefined && { generate: () => Promise.reject(error) }),
  };
}

/** Asks in one piece, and streamed; both must come to the same. */
async function ask(candidates: readonly LLM[], options: CallOptions = {}) {
  const told: ProviderFailure[] = [];
  const onFailure = (one: ProviderFailure) => told.push(one);
  const whole = await settle(failoverGenerate(candidates, '?', options, { onFailure }));
  const tolds = told.splice(0);
  const streamed = await settle(failoverStream(candidates, '?', options, { onFailure }).result);
  expect(streamed.error).toEqual(whole.error);
  expect(streamed.generation?.servedBy).toBe(whole.generation?.servedBy);
  expect(told.map(({ id, outcome }) => [id, outcome])).toEqual(tolds.map(({ id, outcome }) => [id, outcome]));
  return { ...whole, told: tolds };
}

async function settle<T>(promise: Promise<T>) {
  return promise.then(
    (generation) => ({ generation, error: undefined }),
    (error: unknown) => ({ generation: undefined, error }),
  );
}

async function events(stream: GenerationStream): Promise<StreamEvent[]> {
  const all: StreamEvent[] = [];
  for await (const event of stream) all.push(event);
  return all;
}

const shortOf = (told: readonly ProviderFailure[]) => told.map(({ id, outcome }) => `${id} ${outcome}`);

describe('the failover loop', () => {
  test('asks in order and stops at the first that answers', async () => {
    const { generation, told } = await ask([model('a', lost), model('b', lost), model('c'), model('d')]);
    expect(generation).toMatchObject({ text: 'c', servedBy: 'c/m' });
    expect(shortOf(told)).toEqual(['a/m failed', 'b/m failed']);
    expect(generation?.failures).toEqual([
      { id: 'a/m', outcome: 'failed', error: lost },
      { id: 'b/m', outcome: 'failed', error: lost },
    ]);
  });

  test('skips who is not available, without a call', async () => {
    const open = new CircuitBreakerOpen('Open.', { breaker: 'a', state: 'OPEN', retryAfterMs: 5_000 });
    const shut: LLM = {
      ...model('a', new Error('must not be asked')),
      availability: () => ({ available: false, retryAfterMs: 5_000, error: open }),
    };
    const { generation } = await ask([shut, model('b')]);
    expect(generation?.failures).toEqual([{ id: 'a/m', outcome: 'skipped', error: open }]);
  });

  test('counts as skipped who refused before anything was sent, as failed who had sent something', async () => {
    const open = new CircuitBreakerOpen('Open.', { breaker: 'a', state: 'OPEN' });
    const shutting: LLM = { ...model('a'), generate: () => Promise.reject(open) };
    const skipped = await settle(failoverGenerate([shutting, model('b')], '?'));
    expect(skipped.generation?.failures).toMatchObject([{ outcome: 'skipped' }]);
    const retried: LLM = {
      ...model('a'),
      async generate(prompt, options) {
        await settle(model('a', lost).generate(prompt, options));
        throw open;
      },
    };
    const failed = await settle(failoverGenerate([retried, model('b')], '?'));
    expect(failed.generation?.failures).toMatchObject([{ outcome: 'failed', error: open }]);
  });

  test.each<[ProviderErrorKind, boolean]>([
    ['connection', true],
    ['server', true],
    ['malformed', true],
    ['truncated', true],
    ['rate-limit', true],
    ['capacity', true],
    ['quota', true],
    ['auth', true],
    ['permission', true],
    ['model-not-found', true],
    ['conflict', true],
    ['context-length', true],
    ['too-large', true],
    ['content-filter', false],
    ['bad-request', false],
  ])('after a failure of kind %s asks another: %s', async (kind, another) => {
    const error = failure(kind);
    const result = await ask([model('a', error), model('b')]);
    if (another) expect(result.generation?.servedBy).toBe('b/m');
    else expect(result.error).toBe(error);
  });

  test('asks nobody after an abort, whatever the candidate made of it', async () => {
    const controller = new AbortController();
    const aborting: LLM = {
      ...model('a'),
      async generate() {
        controller.abort(new Error('stop'));
        throw failure('bad-request');
      },
    };
    const { signal } = controller;
    expect((await settle(failoverGenerate([aborting, model('b')], '?', { signal }))).error).toBe(
      signal.reason,
    );
    expect((await settle(failoverGenerate([model('b')], '?', { signal }))).error).toBe(signal.reason);
    expect((await settle(failoverStream([model('b')], '?', { signal }).result)).error).toBe(signal.reason);
  });

  test('asks the same model nowhere else once it is gone', async () => {
    const gone = failure('model-not-found');
    const { generation, told } = await ask([model('a', gone), model('a'), model('b')]);
    expect(generation?.servedBy).toBe('b/m');
    expect(shortOf(told)).toEqual(['a/m failed', 'a/m skipped']);
  });

  test('after a context overflow asks only a larger, or unknown, window', async () => {
    const window = (llm: LLM, contextWindow: number): LLM => ({ ...llm, capabilities: { contextWindow } });
    const overflow = failure('context-length');
    const small = window(model('a', overflow), 8_000);
    const { generation, told } = await ask([small, window(model('b'), 8_000), window(model('c'), 128_000)]);
    expect(generation?.servedBy).toBe('c/m');
    expect(shortOf(told)).toEqual(['a/m failed', 'b/m skipped']);
    expect((await ask([small, model('d')])).generation?.servedBy).toBe('d/m');
  });

  test('after a budget’s refusal asks only a smaller hold, and nobody without one', async () => {
    const refused = refusal('0.2');
    const dear = guarded('dear', '0.2', refused);
    const candidates = [dear, guarded('same', '0.2'), model('free'), guarded('cheap', '0.1')];
    const { generation } = await settle(failoverGenerate(candidates, '?'));
    expect(generation?.servedBy).toBe('cheap/m');
    expect(generation?.failures.map(({ id, outcome, error }) => [id, outcome, error === refused])).toEqual([
      ['dear/m', 'skipped', true],
      ['same/m', 'skipped', true],
      ['free/m', 'skipped', true],
    ]);
  });

  test('hands the refusal itself to the caller when budgets alone refused', async () => {
    const refused = refusal('0.2');
    const all = [guarded('dear', '0.2', refused), guarded('same', '0.3')];
    expect((await settle(failoverGenerate(all, '?'))).error).toBe(refused);
    const mixed = [model('down', lost), ...all];
    expect((await settle(failoverGenerate(mixed, '?'))).error).toBeInstanceOf(AllProvidersFailedError);
  });

  test('ends with one error that has an entry for each, the shortest wait, and no prompt in it', async () => {
    const secret = new Error('the prompt was: secret');
    const { error } = await ask([
      model('a', failure('rate-limit', 9_000)),
      model('b', secret),
      model('c', failure('server', 4_000)),
    ]);
    expect(error).toBeInstanceOf(AllProvidersFailedError);
    const failed = error as AllProvidersFailedError;
    expect(shortOf(failed.errors)).toEqual(['a/m failed', 'b/m failed', 'c/m failed']);
    expect(failed.errors[1]?.error).toBe(secret);
    expect(failed.retryAfterMs).toBe(4_000);
    expect(failed.message).toBe(
      'None of 3 models could serve. a/m failed: It says rate-limit; b/m failed: Error; c/m failed: It says server. See `errors` for each.',
    );
  });

  test('says so when there is nobody to ask', async () => {
    const { error } = await ask([]);
    expect(error).toMatchObject({ code: 'all-providers-failed', errors: [], retryAfterMs: undefined });
  });

  test('collects all attempts that may have cost something, and tells the caller of every one', async () => {
    const billed = (provider: string, error: unknown): LLM => {
      const inner = model(provider);
      return {
        ...inner,
        async generate(prompt, options) {
          await inner.generate(prompt, options); // served and billed, and then of no use
          throw error;
        },
      };
    };
    const outcomes: string[] = [];
    const generation = await failoverGenerate([billed('a', lost), model('b', lost), model('c')], '?', {
      onAttempt: ({ id, outcome }) => outcomes.push(`${id} ${outcome}`),
    });
    expect(outcomes).toEqual(['a/m served', 'b/m refused', 'c/m served']);
    expect(generation.attempts.map(({ id }) => id)).toEqual(['a/m', 'c/m']);
    expect(generation.usage.attemptId).toBe(generation.attempts[1]?.attemptId);
  });

  test('1,000 walks at once do not mix', async () => {
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, async (_, index) => {
        const flaky = model('a', undefined, {
          generate: async () => {
            await new Promise((resolve) => setImmediate(resolve));
            if (index % 2 === 0) throw lost;
            return `a${index}`;
          },
        });
        return failoverGenerate([flaky, model('b', undefined, { generate: () => `b${index}` })], '?');
      }),
    );
    for (const [index, { text, failures, attempts }] of answers.entries()) {
      expect(text).toBe(index % 2 === 0 ? `b${index}` : `a${index}`);
      expect(failures).toHaveLength(index % 2 === 0 ? 1 : 0);
      expect(attempts).toHaveLength(1);
    }
  });
});

describe('failover of streams', () => {
  const streaming = (provider: string, pieces: readonly (string | StreamEvent)[], error?: unknown): LLM =>
    model(provider, undefined, {
      async *stream() {
        yield* pieces;
        if (error !== undefined) throw error;
        return undefined;
      },
    });

  test('leaves no trace of a candidate that fails before its first content', async () => {
    const usage = { type: 'usage', usage: { inputTokens: 9, outputTokens: 0 } } as const;
    const stream = failoverStream([streaming('a', ['', usage], lost), streaming('b', ['an', 'swer'])], '?', {
      includeUsage: true,
    });
    const seen = await events(stream);
    expect(seen.slice(0, 2)).toEqual([
      { type: 'text', text: 'an' },
      { type: 'text', text: 'swer' },
    ]);
    expect(seen).not.toContainEqual(usage);
    expect(await stream.result).toMatchObject({
      servedBy: 'b/m',
      failures: [{ id: 'a/m', outcome: 'failed' }],
    });
  });

  test('never starts over after content, tool calls included', async () => {
    const toolCall = { id: '1', name: 'f', argumentsText: '{}', arguments: {} };
    for (const piece of ['half', { type: 'tool-call', toolCall }] as const) {
      const all = failoverStream([streaming('a', [piece], lost), model('b')], '?');
      await expect(events(all)).rejects.toBe(lost);
    }
  });

  test('asks nobody before it is read', async () => {
    let asked = 0;
    const counting = model('a', undefined, { generate: () => String(++asked) });
    const stream = failoverStream([counting], '?');
    await new Promise((resolve) => setImmediate(resolve));
    expect(asked).toBe(0);
    expect((await stream.result).text).toBe('1');
  });

  test('hands a consumer who leaves what came, with failures and attempts', async () => {
    const stream = failoverStream([model('a', lost), streaming('b', ['one ', 'two ', 'three'])], '?');
    for await (const event of stream) if (event.type === 'text' && event.text === 'two ') break;
    const partial = await stream.result;
    expect(partial).toMatchObject({ text: 'one two ', finishReason: 'aborted', failures: [{ id: 'a/m' }] });
    expect(partial.attempts.map(({ id, outcome }) => `${id} ${outcome}`)).toEqual(['b/m partial']);
  });

  test('ends with all errors when nobody could begin', async () => {
    const stream = failoverStream([streaming('a', [], lost), model('b', lost)], '?');
    await expect(events(stream)).rejects.toMatchObject({
      code: 'all-providers-failed',
      errors: { length: 2 },
    });
  });
});

describe('anyAvailable', () => {
  const shut = (error: unknown, retryAfterMs?: number): LLM => ({
    ...model('a'),
    availability: () => ({ available: false, error, ...(retryAfterMs !== undefined && { retryAfterMs }) }),
  });

  test('is available if one is; one that does not say is', () => {
    expect(anyAvailable([shut(lost), model('b')])).toEqual({ available: true });
  });

  test('otherwise knows the shortest wait', () => {
    expect(anyAvailable([shut(lost, 9_000), shut(lost), shut(lost, 4_000)])).toEqual({
      available: false,
      error: lost,
      retryAfterMs: 4_000,
    });
    expect(anyAvailable([])).toMatchObject({ available: false, error: { code: 'all-providers-failed' } });
  });
});
