import { ConfigError } from './errors.ts';
import type { ToolCall } from './tool.ts';

/** A piece of text in a message. */
export interface TextPart {
  readonly type: 'text';
  readonly text: string;
}

/** A picture in a message. */
export interface ImagePart {
  readonly type: 'image';
  /** An `https:` URL, a `data:` URL, or the bytes themselves (then `mediaType` is needed). */
  readonly image: string | URL | Uint8Array;
  /** MIME type of the bytes, e.g. `"image/png"`. */
  readonly mediaType?: string | undefined;
  /** How closely the model looks; costs tokens. @default "auto" */
  readonly detail?: 'auto' | 'low' | 'high' | undefined;
}

/** Instructions that stand above the conversation. */
export interface SystemMessage {
  readonly role: 'system';
  readonly content: string;
}

/** What the user says and shows. */
export interface UserMessage {
  readonly role: 'user';
  readonly content: string | readonly (TextPart | ImagePart)[];
  /** Who speaks, where several users share a conversation. */
  readonly name?: string | undefined;
}

/** An earlier answer of a model. */
export interface AssistantMessage {
  readonly role: 'assistant';
  readonly content?: string | undefined;
  /** Tools that the model asked for; each is answered by a `tool` message. */
  readonly toolCalls?: readonly ToolCall[] | undefined;
}

/** The result of a tool call. */
export interface ToolMessage {
  readonly role: 'tool';
  /** `ToolCall.id` that this answers. */
  readonly toolCallId: string;
  readonly content: string;
}

/** One message of a conversation. */
export type Message = SystemMessage | UserMessage | AssistantMessage | ToolMessage;

/** What a model is asked: plain text (one user message) or a conversation. */
export type Prompt = string | readonly Message[];

/**
 * A prompt as messages.
 *
 * @throws ConfigError when the prompt is neither text nor a list of messages, is an empty list, or has a message whose
 *   role or content is none.
 */
export function toMessages(prompt: Prompt): readonly Message[] {
  if (typeof prompt === 'string') return [{ role: 'user', content: prompt }];
  if (!Array.isArray(prompt)) {
    throw new ConfigError('prompt must be a string or a list of messages.', { option: 'prompt' });
  }
  if (prompt.length === 0) {
    throw new ConfigError('prompt must have at least one message.', { option: 'prompt' });
  }
  for (const [index, message] of (prompt as readonly Message[]).entries()) {
    if (typeof message !== 'object' || message === null || !roles.has(message.role)) {
      throw new ConfigError(`prompt[${index}] must be a message with a role: ${[...roles].join(', ')}.`, {
        option: 'prompt',
      });
    }
    if (!hasContent(message)) {
      throw new ConfigError(
        `prompt[${index}].content must be text${message.role === 'user' ? ' or a list of parts' : ''}.`,
        { option: 'prompt' },
      );
    }
  }
  return prompt as readonly Message[];
}

function hasContent({ role, content }: Message): boolean {
  if (typeof content === 'string') return true;
  if (role === 'user' && Array.isArray(content)) {
    return content.every(
      (part) => part?.type !== undefined && (part.type !== 'text' || typeof part.text === 'string'),
    );
  }
  return role === 'assistant' && content === undefined;
}

const roles: ReadonlySet<unknown> = new Set(['system', 'user', 'assistant', 'tool']);

/** All text of a prompt, one message after the other: for classifiers and counters, never for logs. */
export function promptText(prompt: Prompt): string {
  if (typeof prompt === 'string') return prompt;
  return toMessages(prompt)
    .map(({ content }) => {
      if (typeof content === 'string' || content === undefined) return content ?? '';
      return content.map((part) => (part.type === 'text' ? part.text : '')).join('');
    })
    .join('\n');
}
