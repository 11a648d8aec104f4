import { assertTokenCounts, ConfigError, rejectUnknownKeys, type TokenCounts } from '@synapsekit/core';
import type { SimulatedChat } from './chat.ts';

/** A tool call that an answer asks for. */
export interface ScriptedToolCall {
  readonly name: string;
  /** The arguments: any JSON value, or a string that goes out as it is (broken JSON, for instance). */
  readonly arguments?: unknown;
  /** @default "call_" and a number */
  readonly id?: string | undefined;
}

/** An answer in detail. Everything left out is made as for the built-in answers. */
export interface ScriptedAnswer {
  /** @default "" */
  readonly text?: string | undefined;
  readonly toolCalls?: readonly ScriptedToolCall[] | undefined;
  /** Thinking before the answer: hidden at OpenAI, sent as `reasoning` at Groq, billed at both. */
  readonly reasoning?: string | undefined;
  /** A refusal in place of text, as the safety training of OpenAI's models words it. */
  readonly refusal?: string | undefined;
  /** @default "stop", "length" where the token limit cut it, "tool_calls" with tool calls */
  readonly finishReason?: 'stop' | 'length' | 'tool_calls' | 'content_filter' | undefined;
  /** Token counts to report and bill instead of the real ones. */
  readonly usage?: Partial<TokenCounts> | undefined;
  /**
   * What else could have come, for the first token's `top_logprobs`: texts with their log-probability.
   */
  readonly alternatives?: Readonly<Record<string, number>> | undefined;
}

/** Makes answers. `undefined` leaves the answer to the built-in rules. */
export type AnswerFunction = (
  chat: SimulatedChat,
) => string | ScriptedAnswer | undefined | Promise<string | ScriptedAnswer | undefined>;

const answerKeys = ['text', 'toolCalls', 'reasoning', 'refusal', 'finishReason', 'usage', 'alternatives'];
const finishReasons = ['stop', 'length', 'tool_calls', 'content_filter'];

/**
 * Checks an answer and gives it its long form.
 *
 * @throws ConfigError for what is no answer.
 */
export function checkAnswer(answer: string | ScriptedAnswer): ScriptedAnswer {
  if (typeof answer === 'string') return { text: answer };
  rejectUnknownKeys(answer, answerKeys, 'ScriptedAnswer');
  const { finishReason, usage, toolCalls } = answer;
  if (finishReason !== undefined && !finishReasons.includes(finishReason)) {
    throw new ConfigError(
      `finishReason must be one of ${finishReasons.join(', ')}, got ${String(finishReason)}.`,
      {
        option: 'finishReason',
      },
    );
  }
  if (usage !== undefined) {
    assertTokenCounts({
      inputTokens: Number.MAX_SAFE_INTEGER,
      outputTokens: Number.MAX_SAFE_INTEGER,
      ...usage,
    });
  }
  for (const call of toolCalls ?? []) {
    rejectUnknownKeys(call, ['name', 'arguments', 'id'], 'ScriptedToolCall');
    if (typeof call.name !== 'string' || call.name === '') {
      throw new ConfigError('A scripted tool call needs the name of the tool.', { option: 'name' });
    }
  }
  return answer;
}
