import { ConfigError } from '../errors.ts';
import { type ImagePart, type Message, type Prompt, type TextPart, toMessages } from '../prompt.ts';

/**
 * A prompt as the `messages` of a request.
 *
 * @throws ConfigError for a prompt that is none, or an image that cannot be sent.
 */
export function toWireMessages(prompt: Prompt): object[] {
  return toMessages(prompt).map((message, index) => toWireMessage(message, `prompt[${index}]`));
}

function toWireMessage(message: Message, where: string): object {
  switch (message.role) {
    case 'system':
      return { role: 'system', content: message.content };
    case 'user':
      return {
        role: 'user',
        content:
          typeof message.content === 'string'
            ? message.content
            : message.content.map((part, index) => toWirePart(part, `${where}.content[${index}]`)),
        ...(message.name !== undefined && { name: message.name }),
      };
    case 'assistant': {
      const { content, toolCalls = [] } = message;
      if (toolCalls.length === 0) return { role: 'assistant', content: content ?? '' };
      return {
        role: 'assistant',
        content: content ?? null,
        tool_calls: toolCalls.map(({ id, name, argumentsText }) => ({
          id,
          type: 'function',
          function: { name, arguments: argumentsText },
        })),
      };
    }
    case 'tool':
      return { role: 'tool', tool_call_id: message.toolCallId, content: message.content };
  }
}

function toWirePart(part: TextPart | ImagePart, where: string): object {
  if (part.type === 'text') return { type: 'text', text: part.text };
  if (part.type === 'image') {
    const { detail } = part;
    return { type: 'image_url', image_url: { url: imageUrl(part, where), ...(detail && { detail }) } };
  }
  throw new ConfigError(`${where} must be a part of type "text" or "image".`, { option: 'prompt' });
}

function imageUrl({ image, mediaType }: ImagePart, where: string): string {
  if (image instanceof Uint8Array) {
    if (mediaType === undefined) {
      throw new ConfigError(`${where} gives an image as bytes and needs its mediaType, e.g. "image/png".`, {
        option: 'mediaType',
      });
    }
    const bytes = Buffer.from(image.buffer, image.byteOffset, image.byteLength);
    return `data:${mediaType};base64,${bytes.toString('base64')}`;
  }
  const url = String(image);
  if (/^(https?:|data:)/i.test(url)) return url;
  throw new ConfigError(
    `${where} must give its image as an https: or data: URL, or as bytes with a mediaType.`,
    {
      option: 'image',
    },
  );
}
