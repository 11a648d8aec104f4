import type { Tokenizer } from './tokenizer.ts';
import { messageText, type WireBody, type WireMessage, type WireTool } from './wire.ts';

/**
 * Input tokens of a chat as OpenAI counts them for gpt-4o: the formula of its cookbook, which gives 124 and 101 for
 * the cookbook's own examples, as the API does. Beyond the cookbook: a tool call counts as its name and arguments,
 * an image as 85 tokens (`detail: "low"`) or 765 (1024 x 1024), a JSON schema as its text.
 *
 * @see https://github.com/openai/openai-cookbook/blob/main/examples/How_to_count_tokens_with_tiktoken.ipynb
 */
export function promptTokens({ messages, tools, response_format }: WireBody, tokenizer: Tokenizer): number {
  const opensTheAnswer = 3;
  let tokens = opensTheAnswer;
  for (const message of messages) tokens += messageTokens(message, tokenizer);
  if (tools) tokens += toolsTokens(tools, tokenizer);
  const schema = response_format?.json_schema?.schema;
  if (schema !== undefined) tokens += tokenizer.count(JSON.stringify(schema));
  return tokens;
}

function messageTokens(message: WireMessage, { count }: Tokenizer): number {
  let tokens = 3 + count(message.role) + count(messageText(message));
  if (message.name !== undefined) tokens += 1 + count(message.name);
  for (const call of message.tool_calls ?? []) {
    tokens += 3 + count(call.function.name) + count(call.function.arguments);
  }
  if (Array.isArray(message.content)) {
    for (const part of message.content) {
      if (part.type === 'image_url') tokens += part.image_url?.detail === 'low' ? 85 : 765;
    }
  }
  return tokens;
}

function toolsTokens(tools: readonly WireTool[], { count }: Tokenizer): number {
  if (tools.length === 0) return 0;
  const endsTheList = 12;
  let tokens = endsTheList;
  for (const { function: tool } of tools) {
    tokens += 7 + count(`${tool.name}:${withoutFullStop(tool.description)}`);
    const properties = Object.entries(asRecord(tool.parameters?.properties));
    if (properties.length > 0) tokens += 3;
    for (const [name, property] of properties) {
      const { type, description, enum: values, ...nested } = asRecord(property);
      tokens += 3 + count(`${name}:${String(type)}:${withoutFullStop(description)}`);
      if (Array.isArray(values)) {
        tokens -= 3;
        for (const value of values) tokens += 3 + count(String(value));
      }
      // The cookbook's examples are flat; what lies deeper counts as the text that it is.
      if (Object.keys(nested).length > 0) tokens += count(JSON.stringify(nested));
    }
  }
  return tokens;
}

function withoutFullStop(description: unknown): string {
  return typeof description === 'string' ? description.replace(/\.$/, '') : '';
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
