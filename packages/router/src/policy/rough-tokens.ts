import {
  type CallOptions,
  estimatePromptTokens,
  estimateTextTokens,
  type Message,
  type Prompt,
  toMessages,
  type UserMessage,
} from '@synapsekit/core';

/** Texts up to here are counted whole; of longer ones, pieces of this size altogether. */
const countedChars = 65_536;
const pieces = 16;

/**
 * A guess at the tokens of a text that takes no longer for a text of megabytes: of more than 65,536 characters, sixteen
 * pieces from all over it are counted, and the rest is taken to be like them.
 */
export function roughTextTokens(text: string): number {
  return text.length <= countedChars ? estimateTextTokens(text) : Math.ceil(likeItsPieces(text));
}

/** The same guess for a whole prompt, with tools and schemas. */
export function roughPromptTokens(prompt: Prompt, options: CallOptions = {}): number {
  let extra = 0;
  const short = (text: string): string => {
    if (text.length <= countedChars) return text;
    extra += likeItsPieces(text);
    return '';
  };
  const messages = toMessages(prompt).map((message): Message => {
    const { content } = message;
    if (content === undefined) return message;
    if (typeof content === 'string') return { ...message, content: short(content) };
    const parts = content.map((part) => (part.type === 'text' ? { ...part, text: short(part.text) } : part));
    return { ...message, role: 'user', content: parts } as UserMessage;
  });
  return Math.ceil(estimatePromptTokens(messages, options) + extra);
}

function likeItsPieces(text: string): number {
  const size = countedChars / pieces;
  const step = (text.length - size) / (pieces - 1);
  let tokens = 0;
  for (let piece = 0; piece < pieces; piece++) {
    const from = Math.round(piece * step);
    tokens += estimateTextTokens(text.slice(from, from + size));
  }
  return (tokens * text.length) / countedChars;
}
