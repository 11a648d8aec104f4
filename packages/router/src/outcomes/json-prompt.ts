import type { ImagePart, Message, Prompt, TextPart } from '@synapsekit/core';

/** A prompt as it stands in a file: pictures that are bytes become `data:` URLs, which are prompts again when read. */
export function jsonPrompt(prompt: Prompt): Prompt {
  if (typeof prompt === 'string') return prompt;
  return prompt.map((message): Message => {
    if (message.role !== 'user' || typeof message.content === 'string') return message;
    return { ...message, content: message.content.map(jsonPart) };
  });
}

function jsonPart(part: TextPart | ImagePart): TextPart | ImagePart {
  if (part.type !== 'image' || !(part.image instanceof Uint8Array)) return part;
  const { image, mediaType = 'application/octet-stream', ...rest } = part;
  const bytes = Buffer.from(image.buffer, image.byteOffset, image.byteLength);
  return { ...rest, image: `data:${mediaType};base64,${bytes.toString('base64')}` };
}
