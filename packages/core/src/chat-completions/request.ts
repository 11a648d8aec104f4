import { ConfigError } from '../errors.ts';
import type { CallOptions, LLMConfig } from '../options.ts';
import type { Prompt } from '../prompt.ts';
import type { ResponseFormat, Tool, ToolChoice } from '../tool.ts';
import type { Dialect } from './dialect.ts';
import { toWireMessages } from './messages.ts';

/** What a request is built from. */
export interface ChatRequest {
  readonly model: string;
  readonly prompt: Prompt;
  readonly options: CallOptions;
  /** What the options leave open. */
  readonly config: LLMConfig;
  readonly dialect: Dialect;
  readonly stream: boolean;
}

/**
 * The body of a chat-completions request. What nobody set is left out, so that the provider's own default holds.
 *
 * @throws ConfigError for what cannot be said on this wire.
 */
export function toChatBody(request: ChatRequest): Record<string, unknown> {
  const { model, prompt, options, dialect, stream } = request;
  const { maxTokensField = 'max_tokens', streamUsage = true, strictSchemas = true, extraBody } = dialect;
  const { seedField = 'seed' } = dialect;
  const { tools = [], toolChoice, parallelToolCalls, responseFormat, seed, serviceTier } = options;
  if (tools.length === 0 && (toolChoice === 'required' || typeof toolChoice === 'object')) {
    throw new ConfigError('toolChoice asks for a tool, but the call has no tools.', { option: 'toolChoice' });
  }
  const effort = options.reasoningEffort ?? (tools.length > 0 ? dialect.effortWithTools : undefined);
  return defined({
    ...extraBody,
    model,
    messages: toWireMessages(prompt),
    [maxTokensField]: options.maxTokens ?? request.config.maxTokens,
    ...samplingFields(request, effort),
    [seedField]: seed,
    reasoning_effort: effort,
    service_tier: serviceTier,
    response_format: toResponseFormat(responseFormat, strictSchemas),
    // Providers refuse these two where there are no tools.
    ...(tools.length > 0 && {
      tools: tools.map(toWireTool),
      tool_choice: toWireToolChoice(toolChoice),
      parallel_tool_calls: parallelToolCalls,
    }),
    ...(stream && { stream: true, stream_options: streamUsage ? { include_usage: true } : undefined }),
  });
}

function samplingFields({ options, config, dialect }: ChatRequest, effort: string | undefined): object {
  if (dialect.sampling === 'without-reasoning' && effort !== 'none') return {};
  const { logprobs, stop } = options;
  return {
    temperature: options.temperature ?? config.temperature,
    top_p: options.topP,
    stop: typeof stop === 'object' ? [...stop] : stop,
    ...(logprobs !== undefined && logprobs !== false && { logprobs: true }),
    ...(typeof logprobs === 'number' && { top_logprobs: logprobs }),
  };
}

function toWireTool({ name, description, parameters, strict }: Tool): object {
  return {
    type: 'function',
    function: defined({
      name,
      description,
      parameters: parameters ?? { type: 'object', properties: {} },
      strict,
    }),
  };
}

function toWireToolChoice(choice: ToolChoice | undefined): unknown {
  return typeof choice === 'object' ? { type: 'function', function: { name: choice.name } } : choice;
}

function toResponseFormat(format: ResponseFormat | undefined, strictByDefault: boolean): object | undefined {
  switch (format?.type) {
    case undefined:
      return undefined;
    case 'text':
      return { type: 'text' };
    case 'json':
      return { type: 'json_object' };
    case 'json-schema': {
      const { name, schema, description, strict = strictByDefault } = format;
      return { type: 'json_schema', json_schema: defined({ name, description, schema, strict }) };
    }
  }
}

/** Without the members that are `undefined`. */
function defined(fields: Record<string, unknown>): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const name of Object.keys(fields)) if (fields[name] !== undefined) kept[name] = fields[name];
  return kept;
}
