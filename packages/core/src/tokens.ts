/** Counting tokens: a true upper bound that needs nothing, a rough guess, and the port for a real tokenizer. */
import type { CallOptions } from './options.ts';
import { type Message, type Prompt, toMessages } from './prompt.ts';

/** Counts tokens with a real tokenizer. */
export interface TokenCounter {
  /** Tokens of a text. Never throws and never hangs, whatever the text. */
  countText(text: string): number;
  /** Tokens of a prompt as a chat-completions provider counts them: roles, names, tools and schemas included. */
  countPrompt(prompt: Prompt, options?: CallOptions): number;
}

/** What each message costs beside its text, and what opens the answer (OpenAI cookbook, all models since 2023). */
const tokensPerMessage = 3;
const tokensPerName = 1;
const tokensForAnswer = 3;
/**
 * The most that one image costs: OpenAI's published formula (85 + 170 per tile of 512 px, 8 tiles at most after
 * scaling) is 1,445 for gpt-4o; gpt-4o-mini counts the same image as 48,169.
 */
const tokensPerImage = 48_169;
const tokensPerSmallImage = 2_833;

/**
 * More tokens than a prompt can possibly have: no tokenizer in use makes more than one token of a UTF-8 byte. Needs
 * no tokenizer and takes microseconds.
 */
export function maxPromptTokens(prompt: Prompt, options: CallOptions = {}): number {
  // Tools and schemas are rewritten by the provider before they are counted; JSON is longer than what becomes of it.
  return promptTokens(prompt, options, utf8Length, 16);
}

/** A guess for where nothing better is at hand: 4 bytes a token, as English and code have it, rounded up. */
export function estimateTextTokens(text: string): number {
  return Math.ceil(utf8Length(text) / 4);
}

/** The same guess for a whole prompt. */
export function estimatePromptTokens(prompt: Prompt, options: CallOptions = {}): number {
  return promptTokens(prompt, options, estimateTextTokens, 8);
}

/** What a tokenizer library must offer: `gpt-tokenizer` does. */
export interface TokenEncoder {
  countTokens(text: string, options: { readonly disallowedSpecial: Set<string> }): number;
}

/** Longer runs of anything but spaces, or of spaces, are counted in pieces: tokenizers take quadratic time on them. */
const longestRun = 400;
const noSpecialTokens: Set<string> = new Set();

/**
 * A counter over a tokenizer's `countTokens`. Text is counted as text (`<|endoftext|>` is a user's right), and long
 * runs are cut into pieces, which costs a few tokens of accuracy there and bounds the time.
 */
export function createTokenCounter(encoder: TokenEncoder): TokenCounter {
  const countText = (text: string): number => {
    let tokens = 0;
    for (const piece of boundedPieces(text)) {
      tokens += encoder.countTokens(piece, { disallowedSpecial: noSpecialTokens });
    }
    return tokens;
  };
  return { countText, countPrompt: (prompt, options = {}) => promptTokens(prompt, options, countText, 8) };
}

/** Looked for from the first character of a run only: from each of them takes time proportional to `longestRun`. */
const longRuns = new RegExp(`(?<!\\S)\\S{${longestRun + 1}}|(?<!\\s)\\s{${longestRun + 1}}`, 'u');
const pieces = new RegExp(`\\s{0,${longestRun}}\\S{1,${longestRun}}|\\s{1,${longestRun}}`, 'gu');

function boundedPieces(text: string): readonly string[] {
  if (text.length <= longestRun || !longRuns.test(text)) return [text];
  return text.match(pieces) ?? [text];
}

function promptTokens(
  prompt: Prompt,
  { tools, responseFormat }: CallOptions,
  count: (text: string) => number,
  tokensPerTool: number,
): number {
  let tokens = tokensForAnswer;
  for (const message of toMessages(prompt)) tokens += messageTokens(message, count);
  for (const tool of tools ?? []) tokens += tokensPerTool + count(JSON.stringify(tool));
  if (tools !== undefined && tools.length > 0) tokens += tokensPerTool;
  if (responseFormat?.type === 'json-schema') tokens += tokensPerTool + count(JSON.stringify(responseFormat));
  return tokens;
}

function messageTokens(message: Message, count: (text: string) => number): number {
  let tokens = tokensPerMessage + count(message.role);
  if (typeof message.content === 'string') tokens += count(message.content);
  if (message.role === 'user') {
    if (message.name !== undefined) tokens += tokensPerName + count(message.name);
    if (typeof message.content !== 'string') {
      for (const part of message.content) {
        if (part.type === 'text') tokens += count(part.text);
        else tokens += part.detail === 'low' ? tokensPerSmallImage : tokensPerImage;
      }
    }
  }
  if (message.role === 'assistant') {
    for (const { id, name, argumentsText } of message.toolCalls ?? []) {
      tokens += 8 + count(id) + count(name) + count(argumentsText);
    }
  }
  if (message.role === 'tool') tokens += count(message.toolCallId);
  return tokens;
}

/** Length in UTF-8 bytes, without making the bytes. */
function utf8Length(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}
