import type { FinishReason, TokenLogprob } from '../generation.ts';
import { type ToolCall, toToolCall } from '../tool.ts';
import type { TokenCounts } from '../usage.ts';
import { asList, asObject, asText, type JsonObject } from './json.ts';
import { readUsage } from './usage.ts';
import { WireFailure } from './wire-failure.ts';

/** An answer as it came, whole or put together from a stream. */
export interface WireAnswer {
  readonly text: string;
  readonly reasoningText?: string | undefined;
  readonly toolCalls: readonly ToolCall[];
  readonly finishReason: FinishReason;
  readonly rawFinishReason?: string | undefined;
  readonly logprobs?: readonly TokenLogprob[] | undefined;
  readonly usage?: TokenCounts | undefined;
  readonly servedModel?: string | undefined;
  readonly serviceTier?: string | undefined;
  readonly responseId?: string | undefined;
  /** Groq names the request in the body, too. */
  readonly requestId?: string | undefined;
}

/** What every body and every chunk may say about the answer as a whole. */
export type WireIdentity = Pick<WireAnswer, 'servedModel' | 'serviceTier' | 'responseId' | 'requestId'>;

/**
 * Reads the body of a chat completion.
 *
 * @throws WireFailure for a body that is no answer, or an error in disguise.
 */
export function readAnswer(body: unknown): WireAnswer {
  const completion = asObject(typeof body === 'string' ? parsed(body) : body);
  if (completion === undefined) throw new WireFailure('malformed', notJson(body));
  const usage = readUsage(completion);
  if (completion.error) throw new WireFailure('in-band', 'an error in the body', { body: completion, usage });
  const choices = asList(completion.choices).map(asObject);
  const choice = choices.find((each) => each?.index === 0) ?? choices[0];
  if (choice?.error) throw new WireFailure('in-band', 'an error in the answer', { body: choice, usage });
  const message = asObject(choice?.message);
  if (choice === undefined || message === undefined) {
    throw new WireFailure('malformed', 'JSON without an answer in it', { usage });
  }
  const refusal = asText(message.refusal);
  const toolCalls = asList(message.tool_calls).map(readToolCall);
  return {
    text: contentText(message.content) || (refusal ?? ''),
    reasoningText: reasoningText(message),
    toolCalls,
    ...readFinish(choice.finish_reason, { refused: refusal !== undefined, toolCalls: toolCalls.length }),
    logprobs: readLogprobs(choice),
    usage,
    ...readIdentity(completion),
  };
}

/** Who answered. */
export function readIdentity(body: JsonObject): WireIdentity {
  const xGroq = asObject(body.x_groq);
  return {
    servedModel: asText(body.model),
    serviceTier: asText(body.service_tier),
    responseId: asText(body.id),
    requestId: asText(xGroq?.id),
  };
}

const finishReasons: ReadonlyMap<unknown, FinishReason> = new Map(
  Object.entries<FinishReason>({
    stop: 'stop',
    length: 'length',
    tool_calls: 'tool-calls',
    function_call: 'tool-calls',
    content_filter: 'content-filter',
  }),
);

/**
 * Why the model stopped. A refusal counts as the provider's filter at work; an answer that calls tools and claims
 * to have just stopped (OpenAI says so where a tool was forced) is one that calls tools.
 */
export function readFinish(
  raw: unknown,
  { refused, toolCalls }: { readonly refused: boolean; readonly toolCalls: number },
): Pick<WireAnswer, 'finishReason' | 'rawFinishReason'> {
  const rawFinishReason = asText(raw);
  const known = finishReasons.get(rawFinishReason);
  const stopped = known === 'stop' || rawFinishReason === undefined;
  const finishReason =
    stopped && toolCalls > 0 ? 'tool-calls' : stopped && refused ? 'content-filter' : (known ?? 'other');
  return { finishReason, rawFinishReason };
}

/** Text of a message or delta; some hosts send it as a list of parts. */
export function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  return asList(content)
    .map((part) => asText(asObject(part)?.text) ?? '')
    .join('');
}

/** Visible reasoning: `reasoning` at Groq and OpenRouter, `reasoning_content` at DeepSeek and vLLM. */
export function reasoningText(message: JsonObject): string | undefined {
  return asText(message.reasoning) ?? asText(message.reasoning_content);
}

/** Log-probabilities of a choice, or of one chunk of it. */
export function readLogprobs(choice: JsonObject): TokenLogprob[] | undefined {
  const content = asObject(choice.logprobs)?.content;
  if (!Array.isArray(content)) return undefined;
  return content.flatMap((entry) =>
    tokenLogprob(entry).map((token) => ({
      ...token,
      alternatives: asList(asObject(entry)?.top_logprobs).flatMap(tokenLogprob),
    })),
  );
}

function tokenLogprob(entry: unknown): { token: string; logprob: number }[] {
  const { token, logprob } = asObject(entry) ?? {};
  return typeof token === 'string' && typeof logprob === 'number' ? [{ token, logprob }] : [];
}

function readToolCall(entry: unknown, index: number): ToolCall {
  const call = asObject(entry) ?? {};
  const called = asObject(call.function) ?? {};
  return toToolCall(
    asText(call.id) ?? `call_${index}`,
    asText(called.name) ?? '',
    argumentsText(called.arguments),
  );
}

/** Arguments are JSON text; a few hosts send the object itself. */
function argumentsText(value: unknown): string {
  return typeof value === 'string'
    ? value
    : value === undefined || value === null
      ? ''
      : JSON.stringify(value);
}

/** The SDKs hand out text where the `content-type` does not say JSON: proxies and small hosts get it wrong. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function notJson(body: unknown): string {
  if (body === undefined || body === null || body === '') return 'an empty body';
  return typeof body === 'string' ? 'text that is no JSON' : 'JSON that is no object';
}
