import type { ProviderName } from './model.ts';
import { Refusal } from './provider-error.ts';
import type { WireBody, WireMessage } from './wire.ts';

function badRequest(message: string, param?: string, code?: string): Refusal {
  return new Refusal(400, { message, type: 'invalid_request_error', param, code });
}

/**
 * Checks what both providers check of a request, and returns it with its type.
 *
 * @throws Refusal
 */
export function refuseWrongBody(body: unknown, provider: ProviderName): WireBody {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw badRequest('The JSON body of the request could not be parsed.');
  }
  const chat = body as WireBody;
  if (typeof chat.model !== 'string' || chat.model === '')
    throw badRequest('You must provide a model.', 'model');
  if (!Array.isArray(chat.messages)) throw badRequest("Missing required parameter: 'messages'.", 'messages');
  if (chat.messages.length === 0) {
    throw provider === 'openai'
      ? badRequest(
          "Invalid 'messages': an array with at least one element is expected.",
          'messages',
          'empty_array',
        )
      : badRequest("'messages' : minimum number of items is 1", 'messages');
  }
  refuseWrongMessages(chat.messages);
  refuseWrongParameters(chat);
  return chat;
}

const roles = ['system', 'developer', 'user', 'assistant', 'tool', 'function'];

function refuseWrongMessages(messages: readonly WireMessage[]): void {
  const open = new Set<string>();
  for (const [index, message] of messages.entries()) {
    const param = `messages.[${index}]`;
    if (!roles.includes(message?.role))
      throw badRequest(`Invalid role in ${param}.`, `${param}.role`, 'invalid_value');
    if (message.role === 'tool') {
      if (!open.delete(message.tool_call_id ?? '')) {
        throw badRequest(
          "A message with role 'tool' must answer a preceding message with 'tool_calls'.",
          `${param}.role`,
        );
      }
      continue;
    }
    if (open.size > 0) throw unanswered(open, param);
    for (const { id } of message.tool_calls ?? []) open.add(id);
    const empty = message.content === null || message.content === undefined;
    if (empty && message.role !== 'assistant') {
      throw badRequest(
        `Invalid value for 'content' in ${param}: expected a string, got null.`,
        `${param}.content`,
      );
    }
  }
  if (open.size > 0) throw unanswered(open, 'messages');
}

function unanswered(open: ReadonlySet<string>, param: string): Refusal {
  return badRequest(
    `An assistant message with 'tool_calls' must be followed by tool messages for each 'tool_call_id'; missing: ${[...open].join(', ')}.`,
    param,
  );
}

function refuseWrongParameters(chat: WireBody): void {
  const { temperature, top_p, max_tokens, max_completion_tokens, tools, tool_choice, n } = chat;
  refuseOutside('temperature', temperature, 0, 2);
  refuseOutside('top_p', top_p, 0, 1);
  refuseOutside('max_tokens', max_tokens, 1, Number.POSITIVE_INFINITY);
  refuseOutside('max_completion_tokens', max_completion_tokens, 1, Number.POSITIVE_INFINITY);
  refuseOutside('top_logprobs', chat.top_logprobs, 0, 20);
  if (max_tokens != null && max_completion_tokens != null) {
    throw badRequest(
      "'max_tokens' and 'max_completion_tokens' cannot be set at the same time.",
      'max_tokens',
    );
  }
  if (chat.top_logprobs != null && chat.logprobs !== true) {
    throw badRequest("'top_logprobs' needs 'logprobs' to be true.", 'top_logprobs');
  }
  if (n != null && n !== 1) throw badRequest("This simulated provider gives one answer: 'n' must be 1.", 'n');
  if (chat.stream_options != null && chat.stream !== true) {
    throw badRequest("'stream_options' is only allowed when 'stream' is true.", 'stream_options');
  }
  for (const [index, tool] of (tools ?? []).entries()) {
    if (!/^[\w-]{1,64}$/.test(tool?.function?.name ?? '')) {
      throw badRequest(
        'A tool needs a name of letters, digits, _ and -.',
        `tools[${index}].function.name`,
        'invalid_value',
      );
    }
  }
  refuseWrongChoice(tools ?? [], tool_choice);
  refuseWrongFormat(chat);
}

function refuseOutside(param: string, value: number | null | undefined, min: number, max: number): void {
  if (value == null || (typeof value === 'number' && value >= min && value <= max)) return;
  throw badRequest(
    `Invalid '${param}': ${JSON.stringify(value)} is outside of ${min} to ${max}.`,
    param,
    'invalid_value',
  );
}

function refuseWrongChoice(tools: NonNullable<WireBody['tools']>, choice: WireBody['tool_choice']): void {
  if (choice == null) return;
  if (tools.length === 0 && choice !== 'none') {
    throw badRequest("'tool_choice' is only allowed when 'tools' are given.", 'tool_choice');
  }
  const forced = typeof choice === 'object' ? choice.function?.name : undefined;
  if (forced !== undefined && !tools.some((tool) => tool.function.name === forced)) {
    throw badRequest(`Tool choice '${forced}' not found in 'tools'.`, 'tool_choice');
  }
}

function refuseWrongFormat({ response_format: format, messages }: WireBody): void {
  if (format?.type === 'json_object' && !/json/i.test(JSON.stringify(messages))) {
    throw badRequest(
      "'messages' must contain the word 'json' to use 'response_format' of type 'json_object'.",
      'messages',
    );
  }
  if (format?.type === 'json_schema' && typeof format.json_schema?.schema !== 'object') {
    throw badRequest("Missing required parameter: 'response_format.json_schema.schema'.", 'response_format');
  }
}

/**
 * What Groq's models do not take.
 *
 * @see https://console.groq.com/docs/openai
 * @throws Refusal
 */
export function refuseAtGroq(chat: WireBody): void {
  for (const param of ['logprobs', 'top_logprobs', 'logit_bias'] as const) {
    const value = chat[param];
    if (value == null || value === false) continue;
    throw badRequest(`'${param}' is not supported with this model.`, param);
  }
}

/**
 * What OpenAI's reasoning models do not take.
 *
 * @throws Refusal
 */
export function refuseReasoningParameters(chat: WireBody): void {
  if (chat.max_tokens != null) {
    throw badRequest(
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      'max_tokens',
      'unsupported_parameter',
    );
  }
  for (const param of ['temperature', 'top_p'] as const) {
    const value = chat[param];
    if (value != null && value !== 1) {
      throw badRequest(
        `Unsupported value: '${param}' does not support ${value} with this model. Only the default (1) is supported.`,
        param,
        'unsupported_value',
      );
    }
  }
  for (const param of ['logprobs', 'top_logprobs', 'stop'] as const) {
    const value = chat[param];
    if (value != null && value !== false) {
      throw badRequest(
        `Unsupported parameter: '${param}' is not supported with this model.`,
        param,
        'unsupported_parameter',
      );
    }
  }
}
