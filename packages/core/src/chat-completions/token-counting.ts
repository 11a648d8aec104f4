import { ConfigError } from '../errors.ts';
import type { CallOptions } from '../options.ts';
import { type Prompt, promptText, toMessages } from '../prompt.ts';
import {
  createTokenCounter,
  estimatePromptTokens,
  estimateTextTokens,
  type TokenCounter,
  type TokenEncoder,
} from '../tokens.ts';
import { importPeer } from './import-peer.ts';

/** Loads `gpt-tokenizer`. Core has no dependencies, so each adapter brings the import. */
export type LoadTokenizer = () => Promise<TokenEncoder>;

/** Guesses, for where nobody asked for better. */
export const roughCounter: TokenCounter = {
  countText: estimateTextTokens,
  countPrompt: estimatePromptTokens,
};

/**
 * A counter over the real tokenizer.
 *
 * @throws ConfigError when it is not installed.
 */
export async function loadCounter(load: LoadTokenizer | undefined): Promise<TokenCounter> {
  if (load === undefined) {
    throw new ConfigError('trackTokens needs a tokenizer, and this model was built without one.', {
      option: 'trackTokens',
    });
  }
  return createTokenCounter(await importPeer('gpt-tokenizer', load, 'trackTokens counts with it'));
}

/** What an attempt used as far as we can tell: the input that went out and the output that came. */
export function countAttempt(
  counter: TokenCounter,
  sent: { readonly prompt: Prompt; readonly options: CallOptions },
  received: string,
): { inputTokens: number; outputTokens: number; source: 'estimated' } {
  return {
    inputTokens: counter.countPrompt(sent.prompt, sent.options),
    outputTokens: received === '' ? 0 : counter.countText(received),
    source: 'estimated',
  };
}

/** Everything that users, tools and models wrote into a prompt: what an error must not repeat. */
export function sensitiveText(prompt: Prompt): string {
  const more = toMessages(prompt).map((message) => {
    if (message.role === 'user') return message.name ?? '';
    if (message.role !== 'assistant') return '';
    return (message.toolCalls ?? []).map(({ argumentsText }) => argumentsText).join('\n');
  });
  return [promptText(prompt), ...more].join('\n');
}
