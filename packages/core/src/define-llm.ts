import type { Attempt } from './attempt.ts';
import { type RunningAttempt, startAttempt } from './attempt-recorder.ts';
import type { Clock } from './clock.ts';
import {
  type Answer,
  AnswerInPieces,
  type DefinedAnswer,
  finishReasonOf,
  type Identity,
  outputText,
  readAnswer,
} from './defined-answer.ts';
import { ConfigError } from './errors.ts';
import type { Generation } from './generation.ts';
import { type Capabilities, type LLM, modelId } from './llm.ts';
import { type CallOptions, checkCallOptions } from './options.ts';
import type { Prompt } from './prompt.ts';
import type { IdSource } from './random.ts';
import { abortRacer, raceAbort } from './signal.ts';
import { createGenerationStream, isContent, type StreamContext, type StreamEvent } from './stream.ts';
import { estimatePromptTokens, estimateTextTokens } from './tokens.ts';
import type { TokenCounts, Usage } from './usage.ts';

/** A model of your own. */
export interface LLMDefinition {
  readonly provider: string;
  readonly model: string;
  /** @default `model` for openai, `provider/model` otherwise */
  readonly id?: string | undefined;
  readonly capabilities?: Capabilities | undefined;
  /**
   * Answers. Hand `options.signal` to whatever does the work: an aborted call ends at once, but only you can stop the
   * work. The time limits of `options` are yours to keep. Throw a `ProviderError` for failures that retries and
   * breakers should understand.
   */
  generate(prompt: Prompt, options: CallOptions): DefinedAnswer | Promise<DefinedAnswer>;
  /**
   * Answers piece by piece: an async generator, or any async iterable. What a generator returns is as for `generate`;
   * its text and tool calls count only where none were yielded. @default the answer of `generate` in one piece
   */
  stream?(
    prompt: Prompt,
    options: CallOptions,
    // biome-ignore lint/suspicious/noConfusingVoidType: a generator that returns nothing returns `void`.
  ): AsyncIterable<string | StreamEvent, DefinedAnswer | undefined | void, undefined>;
  /** Clock of latencies. @default systemClock */
  readonly clock?: Clock | undefined;
  /** Source of attempt ids. @default systemIds */
  readonly ids?: IdSource | undefined;
}

/** One call of a defined model, admitted and about to be made. */
interface DefinedCall {
  readonly attempt: RunningAttempt;
  /** What it used: as the answer tells, or estimated from all output that came. */
  usage(answer: Answer, output: string): Usage;
}

/**
 * Makes a full `LLM` of one function: attempts, usage, streams and aborts are taken care of.
 *
 * ```ts
 * const echo = defineLLM({ provider: 'local', model: 'echo', generate: (prompt) => `You said: ${String(prompt)}` });
 * ```
 *
 * A call throws a `ProviderError` of kind `"malformed"` when the function gives something that is no answer.
 *
 * @throws ConfigError without a provider, a model or a `generate` function.
 */
export function defineLLM(definition: LLMDefinition): LLM {
  const { provider, model, id = modelId(provider, model), capabilities, clock, ids } = definition;
  for (const [option, value] of Object.entries({ provider, model, id })) {
    if (typeof value !== 'string' || value === '') {
      throw new ConfigError(`${option} must be a non-empty string.`, { option });
    }
  }
  if (typeof definition.generate !== 'function') {
    throw new ConfigError('generate must be a function that answers a prompt.', { option: 'generate' });
  }
  const identity: Identity = { provider, model, id };

  /** Refuses what cannot be sent before there is an attempt: from there on it has to be ended, whatever comes. */
  const begin = async (
    prompt: Prompt,
    options: CallOptions,
    signal: AbortSignal | undefined,
    stream: boolean,
  ): Promise<DefinedCall> => {
    checkCallOptions(options);
    const inputTokens = estimatePromptTokens(prompt, options);
    signal?.throwIfAborted();
    const attempt = startAttempt({ llm: identity, options, stream, clock, ids });
    const admitted = attempt.admit();
    if (admitted !== undefined) await admitted;
    if (signal?.aborted === true) {
      attempt.end({ outcome: 'unsent', error: signal.reason });
      throw signal.reason;
    }
    return {
      attempt,
      usage: ({ usage, servedModel, serviceTier }, output) => ({
        ...(usage ? counted(usage) : estimated(inputTokens, output)),
        servedModel,
        serviceTier,
      }),
    };
  };

  async function* pieceByPiece(
    context: StreamContext,
    prompt: Prompt,
    options: CallOptions,
  ): AsyncGenerator<StreamEvent, Generation, undefined> {
    const { signal } = context;
    const { attempt, usage } = await begin(prompt, options, signal, true);
    const received = new AnswerInPieces(identity);
    let pieces: AsyncIterator<unknown, unknown, undefined> | undefined;
    let waiting = true;
    let failure: { readonly error: unknown } | undefined;
    let generation: Generation | undefined;
    try {
      const source = attempt.run(() => open(definition, prompt, { ...options, signal }));
      const next = (): Promise<IteratorResult<unknown>> => attempt.run(() => source.next());
      pieces = source;
      const unlessAborted = abortRacer(signal);
      let step = await unlessAborted(next());
      for (; step.done !== true; step = await unlessAborted(next())) {
        waiting = false;
        signal.throwIfAborted();
        const event = received.add(step.value);
        if (isContent(event)) attempt.firstToken();
        if (event.type !== 'usage') yield event;
        waiting = true;
      }
      const rest = received.end(readAnswer(step.value === undefined ? {} : step.value, identity));
      if (received.begun) attempt.firstToken();
      const { answer, output } = received;
      const end = attempt.end({ outcome: 'served', usage: usage(answer, output) });
      generation = toGeneration(identity, answer, end);
      context.partial(generation);
      yield* rest;
      if (options.includeUsage === true) yield { type: 'usage', usage: generation.usage };
      if (!received.finished) yield { type: 'finish', finishReason: generation.finishReason };
      return generation;
    } catch (error) {
      failure = { error: signal.aborted ? signal.reason : error };
      throw failure.error;
    } finally {
      if (generation === undefined) {
        const { answer, output, begun } = received;
        const cut: Answer = { ...answer, finishReason: 'aborted' };
        const refused = !begun && failure !== undefined && !signal.aborted;
        const end = attempt.end(
          refused
            ? { outcome: 'refused', error: failure?.error }
            : { outcome: begun ? 'partial' : 'unanswered', usage: usage(cut, output), error: failure?.error },
        );
        context.partial(toGeneration(identity, cut, end));
        const closed = Promise.resolve(attempt.run(() => pieces?.return?.())).catch(() => {});
        // One that is still waiting closes when its wait is over, and that may be never.
        if (!waiting) await closed;
      }
    }
  }

  return {
    ...identity,
    ...(capabilities && { capabilities }),

    async generate(prompt, options = {}) {
      const { signal } = options;
      const { attempt, usage } = await begin(prompt, options, signal, false);
      try {
        const given = attempt.run(() => definition.generate(prompt, options));
        const answer = readAnswer(
          await (signal === undefined ? given : raceAbort(Promise.resolve(given), signal)),
          identity,
        );
        const end = attempt.end({ outcome: 'served', usage: usage(answer, outputText(answer)) });
        return toGeneration(identity, answer, end);
      } catch (error) {
        if (signal?.aborted !== true) {
          attempt.end({ outcome: 'refused', error });
          throw error;
        }
        attempt.end({ outcome: 'unanswered', usage: usage({}, ''), error: signal.reason });
        throw signal.reason;
      }
    },

    stream: (prompt, options = {}) =>
      createGenerationStream((context) => pieceByPiece(context, prompt, options), { signal: options.signal }),
  };
}

function open(
  definition: LLMDefinition,
  prompt: Prompt,
  options: CallOptions,
): AsyncIterator<unknown, unknown, undefined> {
  if (definition.stream === undefined) return onlyAnswer(definition, prompt, options);
  const pieces = definition.stream(prompt, options);
  if (typeof pieces?.[Symbol.asyncIterator] !== 'function') {
    throw new ConfigError('stream must return an async generator, or another async iterable.', {
      option: 'stream',
    });
  }
  return pieces[Symbol.asyncIterator]();
}

// biome-ignore lint/correctness/useYield: all that there is comes at the end.
async function* onlyAnswer(
  definition: LLMDefinition,
  prompt: Prompt,
  options: CallOptions,
): AsyncGenerator<never, unknown, undefined> {
  // Not `undefined`: a generator may return nothing, `generate` may not.
  return (await definition.generate(prompt, options)) ?? null;
}

function counted(usage: TokenCounts): Usage {
  return { ...usage, source: 'provider' };
}

function estimated(inputTokens: number, output: string): Usage {
  return { inputTokens, outputTokens: estimateTextTokens(output), source: 'estimated' };
}

function toGeneration({ provider, model, id }: Identity, answer: Answer, attempt: Attempt): Generation {
  const { text = '', reasoningText, toolCalls = [], servedModel = model } = answer;
  return {
    text,
    ...(reasoningText !== undefined && { reasoningText }),
    toolCalls,
    finishReason: finishReasonOf(answer),
    usage: attempt.usage ?? { inputTokens: 0, outputTokens: 0, attemptId: attempt.attemptId },
    attempts: [attempt],
    provider,
    model,
    servedBy: id,
    servedModel,
    latencyMs: attempt.latencyMs,
    ...(attempt.firstTokenMs !== undefined && { firstTokenMs: attempt.firstTokenMs }),
    failures: [],
  };
}
