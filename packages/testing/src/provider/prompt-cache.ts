import type { ValidChat } from './chat.ts';
import type { Tokenizer } from './tokenizer.ts';
import { messageText } from './wire.ts';

/** Providers cache prompts from this length on, in steps of `stepTokens`. */
const minTokens = 1_024;
const stepTokens = 128;
const maxPrefixes = 100_000;

/** Remembers the beginnings of prompts, as the providers' automatic prompt caches do: the last 100,000, for ever. */
export class PromptCache {
  readonly #seen: Set<string> = new Set();
  /** Goes on where it stopped: a new one would pass all that were deleted before. */
  #oldest: IterableIterator<string> | undefined;

  /** How many tokens of the prompt were seen before on the same model. Remembers the prompt. */
  read(chat: ValidChat, tokenizer: Tokenizer): number {
    if (chat.promptTokens < minTokens) return 0;
    const ids = tokenizer.encode(canonicalText(chat));
    let cached = 0;
    let hash = 0xcbf29ce484222325n;
    for (const [position, id] of ids.entries()) {
      hash = BigInt.asUintN(64, (hash ^ BigInt(id)) * 0x100000001b3n); // FNV-1a over token ids
      const length = position + 1;
      if (length < minTokens || length % stepTokens !== 0) continue;
      const key = `${chat.served.provider} ${chat.served.id} ${length} ${hash}`;
      if (this.#seen.has(key)) cached = length;
      else this.#remember(key);
    }
    return Math.min(cached, chat.promptTokens - (chat.promptTokens % stepTokens));
  }

  clear(): void {
    this.#seen.clear();
    this.#oldest = undefined;
  }

  #remember(key: string): void {
    this.#seen.add(key);
    if (this.#seen.size <= maxPrefixes) return;
    this.#oldest ??= this.#seen.values();
    this.#seen.delete(this.#oldest.next().value ?? '');
  }
}

/** Tools come before messages in what a model reads, so changing a tool loses the whole prefix. */
function canonicalText({ body }: ValidChat): string {
  const messages = body.messages.map((message) =>
    [message.role, message.name ?? '', messageText(message), JSON.stringify(message.tool_calls ?? '')].join(
      '\n',
    ),
  );
  return `${JSON.stringify(body.tools ?? [])}\n${messages.join('\n')}`;
}
