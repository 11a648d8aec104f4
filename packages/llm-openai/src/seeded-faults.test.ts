import assert from 'node:assert/strict';
import {
  type Attempt,
  type CallOptions,
  CallTimeoutError,
  createGenerationStream,
  type Generation,
  isSynapseError,
  type LLM,
  type Prompt,
  ProviderError,
  relay,
  type Usage,
} from '@synapsekit/core';
import { type CreateLLM, type LLMSetup, llmContract } from '@synapsekit/testing/contracts';
import { OpenAI } from 'openai';
import { describe, test } from 'vitest';
import { OpenAILLM } from './openai-llm.ts';

/**
 * The contract suite finds faults: each adapter below is sound but for one, and the check named beside it fails.
 * That the sound adapter passes all checks is shown in `contract.test.ts`.
 */
const checks = new Map(
  Object.values(llmContract).flatMap((each) => each.map((check) => [check.name, check] as const)),
);

const model = 'gpt-4o-mini';
const sound: CreateLLM = ({ simulated, apiKey, config }) =>
  new OpenAILLM({ model, baseURL: simulated.openaiBaseURL, apiKey, config });

type Calls = Pick<LLM, 'generate' | 'stream'>;

/** A sound adapter in which calls go another way. */
const calling =
  (change: (llm: LLM) => Partial<Calls>): CreateLLM =>
  (setup) => {
    const llm = sound(setup);
    const { provider, id, capabilities, defaults } = llm;
    return {
      ...{ provider, model, id, capabilities, defaults },
      generate: (prompt, options) => llm.generate(prompt, options),
      stream: (prompt, options) => llm.stream(prompt, options),
      ...change(llm),
    };
  };

/** A sound adapter that gives its model other options. */
const withOptions = (change: (options: CallOptions) => CallOptions): CreateLLM =>
  calling((llm) => ({
    generate: (prompt, options = {}) => llm.generate(prompt, change(options)),
    stream: (prompt, options = {}) => llm.stream(prompt, change(options)),
  }));

/** A sound adapter that returns something else. */
const returning = (change: (generation: Generation) => Generation): CreateLLM =>
  calling((llm) => ({
    generate: async (prompt, options) => change(await llm.generate(prompt, options)),
    stream: (prompt, options = {}) =>
      createGenerationStream(
        async function* (context) {
          return change(yield* relay(context, llm.stream(prompt, { ...options, signal: context.signal })));
        },
        { signal: options.signal },
      ),
  }));

/** A sound adapter that counts otherwise, in attempts and answers alike. */
const counting = (change: (usage: Usage) => Usage): CreateLLM => {
  const inAttempt = (attempt: Attempt): Attempt =>
    attempt.usage === undefined ? attempt : { ...attempt, usage: change(attempt.usage) };
  const inGeneration = returning((generation) => ({
    ...generation,
    usage: change(generation.usage),
    attempts: generation.attempts.map(inAttempt),
  }));
  return (setup) => {
    const llm = inGeneration(setup);
    const patched = (options: CallOptions = {}): CallOptions => ({
      ...options,
      onAttempt: (attempt) => options.onAttempt?.(inAttempt(attempt)),
    });
    return {
      ...llm,
      generate: (prompt, options) => llm.generate(prompt, patched(options)),
      stream: (prompt, options) => llm.stream(prompt, patched(options)),
    };
  };
};

/** A sound adapter that throws something else. */
const throwing = (change: (error: unknown, prompt: Prompt, options: CallOptions) => unknown): CreateLLM =>
  calling((llm) => ({
    async generate(prompt, options = {}) {
      try {
        return await llm.generate(prompt, options);
      } catch (error) {
        throw change(error, prompt, options);
      }
    },
  }));

const changed = (change: (facts: ProviderError) => object) =>
  throwing((error) =>
    isSynapseError(error, 'provider')
      ? new ProviderError(error.message, { ...error, ...change(error) })
      : error,
  );

/** A sound adapter over an SDK that is used in another way. */
const sending =
  (change: (body: Record<string, unknown>, options: Record<string, unknown>) => void): CreateLLM =>
  ({ simulated, apiKey, config }: LLMSetup) => {
    const sdk = new OpenAI({ apiKey, baseURL: simulated.openaiBaseURL, logLevel: 'off' });
    const create = (body: Record<string, unknown>, options: Record<string, unknown>): unknown => {
      const [changedBody, changedOptions] = [{ ...body }, { ...options }];
      change(changedBody, changedOptions);
      return sdk.chat.completions.create(changedBody as never, changedOptions);
    };
    return new OpenAILLM({ model, config, client: { chat: { completions: { create } } } });
  };

let lastUsage: Usage | undefined;

const faulty: readonly (readonly [fault: string, create: CreateLLM, caughtBy: string])[] = [
  [
    'leaves the SDK its retries',
    sending((_, options) => {
      options.maxRetries = 1;
    }),
    'reports status 503 as "server", at once and free of charge',
  ],
  [
    'does not pass the signal on',
    sending((_, options) => {
      delete options.signal;
    }),
    'aborts a call in flight at once, with the reason of the caller',
  ],
  [
    'does not ask for the usage of streams',
    sending((body) => {
      delete body.stream_options;
    }),
    'asks for the usage of a stream, and shows it only to those who want it',
  ],
  [
    'loses an option',
    sending((body) => {
      delete body.max_tokens;
    }),
    'sends what the call says',
  ],
  [
    'adds an option',
    sending((body) => {
      body.top_p = 1;
    }),
    'takes from its configuration what the call leaves open, and nothing else',
  ],
  [
    'forgets cached tokens',
    counting(({ cachedInputTokens, ...usage }) => usage),
    'counts what the provider bills, cached and reasoning tokens within the whole',
  ],
  [
    'takes cached tokens out of the input',
    counting((usage) => ({ ...usage, inputTokens: usage.inputTokens - (usage.cachedInputTokens ?? 0) })),
    'counts what the provider bills, cached and reasoning tokens within the whole',
  ],
  [
    'swaps input and output',
    counting((usage) => ({ ...usage, inputTokens: usage.outputTokens, outputTokens: usage.inputTokens })),
    'hands out a stream piece by piece, and its whole as the result',
  ],
  [
    'mixes up the usage of calls that run at once',
    counting((usage) => {
      const previous = lastUsage ?? usage;
      lastUsage = usage;
      return { ...previous, attemptId: usage.attemptId };
    }),
    'keeps a thousand calls at once apart',
  ],
  [
    'names the model that was asked for as the one that served',
    returning((generation) => ({ ...generation, servedModel: generation.model })),
    'names a served model that is another one',
  ],
  [
    'takes a stream that was cut for a whole one',
    calling((llm) => ({
      stream: (prompt, options = {}) =>
        createGenerationStream(
          async function* (context) {
            const inner = llm.stream(prompt, { ...options, signal: context.signal });
            try {
              for await (const event of inner) yield event;
            } catch (error) {
              if (!isSynapseError(error, 'provider') || error.kind !== 'truncated') throw error;
            }
            return llm.generate(prompt);
          },
          { signal: options.signal },
        ),
    })),
    'fails a stream that ends without a finish reason, and charges what came',
  ],
  [
    'reports attempts twice',
    withOptions((options) => ({
      ...options,
      onAttempt: (attempt) => {
        options.onAttempt?.(attempt);
        options.onAttempt?.(attempt);
      },
    })),
    'answers with everything that is known about the answer',
  ],
  [
    'reports no attempt that failed',
    withOptions((options) => ({
      ...options,
      onAttempt: (attempt) => {
        if (attempt.outcome === 'served') options.onAttempt?.(attempt);
      },
    })),
    'charges the input of a request whose connection is dropped before the answer',
  ],
  [
    'charges nothing for a stream that its consumer left',
    counting((usage) =>
      usage.source === 'estimated' ? { ...usage, inputTokens: 0, outputTokens: 0 } : usage,
    ),
    'lets a consumer leave a stream, and tells what came until then',
  ],
  [
    'hands out a foreign error',
    throwing((error) => (isSynapseError(error) ? new Error('401 from the SDK') : error)),
    'reports a wrong key as "auth", at once and free of charge',
  ],
  [
    'takes an empty account for a rate limit',
    changed(({ kind }) => ({ kind: kind === 'quota' ? 'rate-limit' : kind })),
    'reports an empty account as "quota", at once and free of charge',
  ],
  [
    'leaves Retry-After in seconds',
    changed(({ retryAfterMs }) => ({
      retryAfterMs: retryAfterMs === undefined ? undefined : retryAfterMs / 1_000,
    })),
    'passes on a Retry-After of seconds, and does not wait itself',
  ],
  [
    'tries again by itself',
    calling((llm) => ({
      generate: (prompt, options) => llm.generate(prompt, options).catch(() => llm.generate(prompt, options)),
    })),
    'reports status 500 as "server", at once and free of charge',
  ],
  [
    'throws an abort of its own instead of the reason',
    throwing((error, _, { signal }) =>
      signal?.aborted === true ? new DOMException('Aborted', 'AbortError') : error,
    ),
    'aborts a call in flight at once, with the reason of the caller',
  ],
  [
    'shows usage that nobody asked for',
    withOptions((options) => ({ ...options, includeUsage: true })),
    'asks for the usage of a stream, and shows it only to those who want it',
  ],
  [
    'sends streams that nobody reads',
    calling((llm) => ({
      stream(prompt, options) {
        const stream = llm.stream(prompt, options);
        stream.result.catch(() => {});
        return stream;
      },
    })),
    'sends nothing before a stream is read, and sends it for the result alone',
  ],
  [
    'has no idle limit',
    withOptions(({ idleTimeoutMs, ...options }) => ({
      ...options,
      timeoutMs: options.timeoutMs ?? idleTimeoutMs,
    })),
    'ends a stream in time that stalls',
  ],
  [
    'counts the time of a slow consumer as idle',
    calling((llm) => ({
      stream: (prompt, { idleTimeoutMs, ...options } = {}) =>
        createGenerationStream(
          async function* (context) {
            let lastMs = performance.now();
            const inner = llm.stream(prompt, { ...options, signal: context.signal });
            for await (const event of inner) {
              if (idleTimeoutMs !== undefined && performance.now() - lastMs > idleTimeoutMs) {
                throw new CallTimeoutError('idle', { phase: 'idle', timeoutMs: idleTimeoutMs });
              }
              lastMs = performance.now();
              yield event;
            }
            return inner.result;
          },
          { signal: options.signal },
        ),
    })),
    'does not hold a slow consumer against the provider',
  ],
  [
    'does not ask before it sends',
    withOptions(({ onAttemptStart, ...options }) => options),
    'asks before it sends, and waits for the answer',
  ],
  [
    'leaves listeners on the signal',
    withOptions((options) => {
      options.signal?.addEventListener('abort', () => {});
      return options;
    }),
    'keeps no listener on the signal of a call that is over',
  ],
  [
    'writes prompts to the console',
    throwing((error, prompt) => {
      const { console: shared } = globalThis;
      shared.warn('failed:', prompt);
      return error;
    }),
    'tells neither key nor prompt where a 500 repeats them',
  ],
  [
    'attaches the answer of the provider to its errors',
    throwing((error, prompt) => Object.assign(error as Error, { request: { prompt } })),
    'tells neither key nor prompt where a refusal repeats them',
  ],
];

const isAboutSecrets = ([, , caughtBy]: (typeof faulty)[number]): boolean =>
  caughtBy.startsWith('tells neither');

async function expectCaught(_: string, create: CreateLLM, caughtBy: string): Promise<void> {
  const check = checks.get(caughtBy);
  assert.ok(check, `There is no check "${caughtBy}".`);
  await assert.rejects(check.run(create));
}

describe('the suite finds an adapter that', () => {
  test.concurrent.each(faulty.filter((row) => !isAboutSecrets(row)))('%s', expectCaught);
});

// These watch the console, which is one for all.
describe('the suite finds an adapter that', () => {
  test.each(faulty.filter(isAboutSecrets))('%s', expectCaught);
});

test('what carries the faults is sound without them', async () => {
  const carriers = [
    calling(() => ({})),
    withOptions((options) => options),
    counting((usage) => usage),
    throwing((error) => error),
    changed(() => ({})),
    sending(() => {}),
  ];
  const names = [
    'counts what the provider bills, cached and reasoning tokens within the whole',
    'hands out a stream piece by piece, and its whole as the result',
    'fails a stream that ends without a finish reason, and charges what came',
    'reports an empty account as "quota", at once and free of charge',
    'aborts a call in flight at once, with the reason of the caller',
    'keeps no listener on the signal of a call that is over',
  ];
  for (const create of carriers) for (const name of names) await checks.get(name)?.run(create);
});
