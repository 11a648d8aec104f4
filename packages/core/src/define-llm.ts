import type { Attempt } from './attempt.ts';
import { startAttempt } from './attempt-recorder.ts';
import type { Clock } from './clock.ts';
import { ConfigError } from './errors.ts';
import type { FinishReason, Generation } from './generation.ts';
import { type Capabilities, type LLM, modelId } from './llm.ts';
import { type CallOptions, checkCallOptions } from './options.ts';
import { type Prompt, toMessages } from './prompt.ts';
import type { IdSource } from './random.ts';
import { createGenerationStream, isContent, type StreamEvent } from './stream.ts';
import { estimatePromptTokens, estimateTextTokens } from './tokens.ts';
import type { ToolCall } from './tool.ts';
import type { TokenCounts, Usage } from './usage.ts';

/** An answer of a model of your own: its text, or text with what you know about it. */
export type DefinedAnswer =
  | string
  | {
      readonly text?: string | undefined;
      readonly toolCalls?: readonly ToolCall[] | undefined;
      /** @default "tool-calls" if there are any, else "stop" */
      readonly finishReason?: FinishReason | undefined;
      /** Absent: estimated from the texts, and marked as such. */
      readonly usage?: TokenCounts | undefined;
      readonly servedModel?: string | undefined;
      readonly serviceTier?: string | undefined;
    };

/** A model of your own. */
export interface LLMDefinition {
  readonly provider: string;
  readonly model: string;
  /** @default `model` for openai, `provider/model` otherwise */
  readonly id?: string | undefined;
  readonly capabilities?: Capabilities | undefined;
  /** Answers. Honour `options.signal`. Throw a `ProviderError` for failures that retries and breakers should understand. */
  generate(prompt: Prompt, options: CallOptions): DefinedAnswer | Promise<DefinedAnswer>;
  /** Answers piece by piece; its return value is as for `generate`. @default the answer of `generate` in one piece */
  stream?(
    prompt: Prompt,
    options: CallOptions,
  ): AsyncGenerator<string | StreamEvent, DefinedAnswer | undefined, undefined>;
  readonly clock?: Clock | undefined;
  readonly ids?: IdSource | undefined;
}

/**
 * Makes a full `LLM` of one function: attempts, usage, streams and aborts are taken care of.
 *
 * ```ts
 * const echo = defineLLM({ provider: 'local', model: 'echo', generate: (prompt) => `You said: ${String(prompt)}` });
 * ```
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
  const identity = { provider, model, id };
  const start = (options: CallOptions, stream: boolean) =>
    startAttempt({ llm: identity, options, stream, ...(clock && { clock }), ...(ids && { ids }) });

  return {
    ...identity,
    ...(capabilities && { capabilities }),

    async generate(prompt, options = {}) {
      toMessages(prompt);
      checkCallOptions(options);
      options.signal?.throwIfAborted();
      const attempt = start(options, false);
      try {
        const answer = normalise(await definition.generate(prompt, options));
        const usage = usageOf(answer, prompt, options);
        return toGeneration(identity, answer, attempt.end({ outcome: 'served', usage }));
      } catch (error) {
        const aborted = options.signal?.aborted === true;
        const usage = { ...estimatedUsage(prompt, options, ''), attemptId: attempt.attemptId };
        attempt.end(aborted ? { outcome: 'unanswered', usage, error } : { outcome: 'refused', error });
        throw aborted ? options.signal?.reason : error;
      }
    },

    stream(prompt, options = {}) {
      return createGenerationStream(
        async function* (context) {
          toMessages(prompt);
          checkCallOptions(options);
          const callOptions = { ...options, signal: context.signal };
          const attempt = start(options, true);
          const pieces =
            definition.stream?.(prompt, callOptions) ?? inOnePiece(definition, prompt, callOptions);
          let text = '';
          const toolCalls: ToolCall[] = [];
          let ended = false;
          let failure: unknown;
          try {
            let step = await pieces.next();
            for (; step.done !== true; step = await pieces.next()) {
              context.signal.throwIfAborted();
              const event: StreamEvent =
                typeof step.value === 'string' ? { type: 'text', text: step.value } : step.value;
              if (isContent(event)) attempt.firstToken();
              if (event.type === 'text') text += event.text;
              if (event.type === 'tool-call') toolCalls.push(event.toolCall);
              if (event.type !== 'usage' || options.includeUsage === true) yield event;
            }
            const answer = { ...normalise(step.value ?? ''), text, toolCalls };
            const usage = usageOf(answer, prompt, options);
            ended = true;
            return toGeneration(identity, answer, attempt.end({ outcome: 'served', usage }));
          } catch (error) {
            failure = error;
            throw context.signal.aborted ? context.signal.reason : error;
          } finally {
            if (!ended) {
              const usage = estimatedUsage(prompt, options, text);
              const refused = text === '' && failure !== undefined && !context.signal.aborted;
              const end = attempt.end(
                refused
                  ? { outcome: 'refused', error: failure }
                  : { outcome: 'partial', usage, error: failure },
              );
              context.partial(
                toGeneration(identity, { text, toolCalls, finishReason: 'aborted', usage }, end),
              );
              await pieces.return(undefined);
            }
          }
        },
        { signal: options.signal },
      );
    },
  };
}

type Answer = Exclude<DefinedAnswer, string>;

function normalise(answer: DefinedAnswer): Answer {
  return typeof answer === 'string' ? { text: answer } : answer;
}

async function* inOnePiece(
  definition: LLMDefinition,
  prompt: Prompt,
  options: CallOptions,
): AsyncGenerator<string | StreamEvent, DefinedAnswer, undefined> {
  const answer = normalise(await definition.generate(prompt, options));
  if (answer.text) yield answer.text;
  for (const toolCall of answer.toolCalls ?? []) yield { type: 'tool-call', toolCall };
  return answer;
}

function usageOf(answer: Answer, prompt: Prompt, options: CallOptions): Usage {
  const { usage, servedModel, serviceTier } = answer;
  const counted = usage
    ? { ...usage, source: 'provider' as const }
    : estimatedUsage(prompt, options, answer.text ?? '');
  return { ...counted, servedModel, serviceTier };
}

function estimatedUsage(prompt: Prompt, options: CallOptions, text: string): Usage {
  return {
    inputTokens: estimatePromptTokens(prompt, options),
    outputTokens: estimateTextTokens(text),
    source: 'estimated',
  };
}

function toGeneration(
  { provider, model, id }: Pick<LLM, 'provider' | 'model' | 'id'>,
  { text = '', toolCalls = [], finishReason, servedModel = model }: Answer,
  attempt: Attempt,
): Generation {
  return {
    text,
    toolCalls,
    finishReason: finishReason ?? (toolCalls.length > 0 ? 'tool-calls' : 'stop'),
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
