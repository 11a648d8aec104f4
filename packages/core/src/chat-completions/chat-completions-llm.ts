import type { Attempt } from '../attempt.ts';
import { type Clock, systemClock } from '../clock.ts';
import { ConfigError } from '../errors.ts';
import type { Generation } from '../generation.ts';
import { type Capabilities, type LLM, modelId } from '../llm.ts';
import { type CallOptions, checkCallOptions, checkLLMConfig, type LLMConfig } from '../options.ts';
import type { Prompt } from '../prompt.ts';
import { type IdSource, systemIds } from '../random.ts';
import {
  createGenerationStream,
  type GenerationStream,
  isContent,
  type StreamContext,
  type StreamEvent,
} from '../stream.ts';
import { readAnswer, type WireAnswer } from './answer.ts';
import type { Dialect } from './dialect.ts';
import { Exchange, type ExchangeSetup } from './exchange.ts';
import { readRateLimit } from './rate-limit.ts';
import type { ChatClient } from './sdk.ts';
import { StreamAssembler } from './stream-assembler.ts';
import type { LoadTokenizer } from './token-counting.ts';
import { WireFailure } from './wire-failure.ts';

/** What a `ChatCompletionsLLM` is built from. */
export interface ChatCompletionsSetup {
  readonly provider: string;
  readonly model: string;
  /** @default `model` for openai, `provider/model` otherwise */
  readonly id?: string | undefined;
  readonly config?: LLMConfig | undefined;
  readonly capabilities?: Capabilities | undefined;
  /** Gives the SDK's client at every call: cheap after the first. What it throws was not sent. */
  readonly client: () => Promise<ChatClient>;
  readonly dialect?: Dialect | undefined;
  /** Loads the tokenizer that `config.trackTokens` asks for. */
  readonly loadTokenizer?: LoadTokenizer | undefined;
  /** Send the attempt's id in this header. @default none is sent */
  readonly attemptIdHeader?: string | undefined;
  readonly clock?: Clock | undefined;
  readonly ids?: IdSource | undefined;
}

/**
 * A model behind an SDK that speaks the chat-completions wire: everything that the adapters for OpenAI, Groq and
 * compatible hosts have in common. One call is one request: no retries, no cache.
 */
export class ChatCompletionsLLM implements LLM {
  readonly provider: string;
  readonly model: string;
  readonly id: string;
  readonly capabilities?: Capabilities;
  readonly defaults: Pick<LLMConfig, 'maxTokens'>;
  /** Private for good: it leads to the client, and the client has the key. */
  readonly #setup: ExchangeSetup;

  /** @throws ConfigError for a name that is empty or a configuration that is wrong. */
  constructor(setup: ChatCompletionsSetup) {
    const { provider, model, id = modelId(provider, model), attemptIdHeader } = setup;
    for (const [option, value] of Object.entries({ provider, model, id })) {
      if (typeof value !== 'string' || value.trim() === '') {
        throw new ConfigError(`${option} must be a non-empty string.`, { option });
      }
    }
    if (attemptIdHeader !== undefined && !/^[\w-]+$/.test(attemptIdHeader)) {
      throw new ConfigError('attemptIdHeader must be the name of a header.', { option: 'attemptIdHeader' });
    }
    const config = checkLLMConfig(setup.config);
    this.provider = provider;
    this.model = model;
    this.id = id;
    if (setup.capabilities !== undefined) this.capabilities = Object.freeze({ ...setup.capabilities });
    this.defaults = Object.freeze(config.maxTokens === undefined ? {} : { maxTokens: config.maxTokens });
    this.#setup = {
      llm: { provider, model, id },
      config,
      dialect: setup.dialect ?? {},
      client: setup.client,
      loadTokenizer: setup.loadTokenizer,
      attemptIdHeader,
      clock: setup.clock ?? systemClock,
      ids: setup.ids ?? systemIds,
    };
  }

  async generate(prompt: Prompt, options: CallOptions = {}): Promise<Generation> {
    checkCallOptions(options);
    const call = { prompt, options, signal: options.signal, stream: false };
    const exchange = await Exchange.open(this.#setup, call);
    try {
      const answer = await receiveWhole(exchange);
      return this.#generation(exchange, answer, exchange.serve(answer));
    } finally {
      exchange.close();
    }
  }

  stream(prompt: Prompt, options: CallOptions = {}): GenerationStream {
    return createGenerationStream((context) => this.#stream(context, prompt, options), {
      signal: options.signal,
    });
  }

  async *#stream(
    context: StreamContext,
    prompt: Prompt,
    options: CallOptions,
  ): AsyncGenerator<StreamEvent, Generation, undefined> {
    checkCallOptions(options);
    const assembler = new StreamAssembler();
    const call = { prompt, options, signal: context.signal, stream: true };
    const exchange = await Exchange.open(this.#setup, call, assembler);
    let generation: Generation | undefined;
    try {
      try {
        const chunks = iteratorOf(await exchange.send());
        try {
          for (;;) {
            const step = await exchange.ask(chunks);
            exchange.arrived();
            if (step.done === true) break;
            for (const event of assembler.push(step.value)) {
              if (isContent(event)) exchange.content();
              yield event;
            }
          }
        } finally {
          // Not awaited: an iterator that is still waiting for its server ends when the connection does.
          chunks.return?.()?.catch(() => {});
        }
        requireEnd(exchange, assembler);
      } catch (error) {
        // The answer is complete; all that was lost is the chunk with its usage.
        if (!assembler.finished || context.signal.aborted) throw exchange.fail(error);
      }
      const answer = assembler.answer();
      generation = this.#generation(exchange, answer, exchange.serve(answer));
      context.partial(generation);
      if (options.includeUsage === true) yield { type: 'usage', usage: generation.usage };
      yield { type: 'finish', finishReason: generation.finishReason };
      return generation;
    } finally {
      if (generation === undefined) {
        const cut = exchange.cut();
        context.partial(this.#generation(exchange, { ...assembler.answer(), finishReason: 'aborted' }, cut));
      }
      exchange.close();
    }
  }

  #generation(exchange: Exchange, answer: WireAnswer, attempt: Attempt): Generation {
    const { provider, model, id } = this;
    const { reasoningText, rawFinishReason, logprobs, responseId } = answer;
    const { attemptId, requestId, latencyMs, firstTokenMs } = attempt;
    const rateLimit = readRateLimit(exchange.headers);
    return {
      text: answer.text,
      ...(reasoningText !== undefined && { reasoningText }),
      toolCalls: answer.toolCalls,
      finishReason: answer.finishReason,
      ...(rawFinishReason !== undefined && { rawFinishReason }),
      usage: attempt.usage ?? { inputTokens: 0, outputTokens: 0, attemptId },
      attempts: [attempt],
      provider,
      model,
      servedBy: id,
      servedModel: answer.servedModel ?? model,
      ...(responseId !== undefined && { responseId }),
      ...(requestId !== undefined && { requestId }),
      ...(logprobs !== undefined && { logprobs }),
      ...(rateLimit !== undefined && { rateLimit }),
      latencyMs,
      ...(firstTokenMs !== undefined && { firstTokenMs }),
      failures: [],
    };
  }
}

/** Sends the request and reads the answer. */
async function receiveWhole(exchange: Exchange): Promise<WireAnswer> {
  try {
    return readAnswer(await exchange.send());
  } catch (error) {
    throw exchange.fail(error);
  }
}

/** The SDKs end a stream without an error for a lost connection, and for a web page, too. */
function requireEnd(exchange: Exchange, assembler: StreamAssembler): void {
  if (assembler.finished) return;
  if (assembler.begun || /event-stream/i.test(exchange.contentType)) {
    throw new WireFailure('truncated', 'a stream without an end');
  }
  throw new WireFailure('malformed', 'something that is no stream');
}

function iteratorOf(chunks: unknown): AsyncIterator<unknown> {
  const iterable = chunks as Partial<AsyncIterable<unknown>> | null | undefined;
  const iterator = typeof iterable === 'object' ? iterable?.[Symbol.asyncIterator]?.() : undefined;
  if (iterator === undefined) throw new WireFailure('malformed', 'something that is no stream');
  return iterator;
}
