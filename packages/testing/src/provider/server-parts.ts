import type { Clock, IdSource } from '@synapsekit/core';
import type { BillBook } from './bill.ts';
import type { ValidChat } from './chat.ts';
import type { ModelCatalog } from './model-catalog.ts';
import type { PromptCache } from './prompt-cache.ts';
import type { ScriptedAnswer } from './scripted-answer.ts';
import type { SimulatedRequest } from './simulated-request.ts';
import type { Tokenizer } from './tokenizer.ts';

/** What every exchange of one server shares. */
export interface ServerParts {
  readonly clock: Clock;
  readonly catalog: ModelCatalog;
  readonly tokenizer: Tokenizer;
  readonly bill: BillBook;
  /** `undefined` when prompts are not cached. */
  readonly cache: PromptCache | undefined;
  /** Keys that are accepted; `undefined`: any. */
  readonly apiKeys: readonly string[] | undefined;
  readonly completionIds: IdSource;
  readonly callIds: IdSource;
  answerFor(chat: ValidChat): Promise<ScriptedAnswer>;
  latencyMs(request: SimulatedRequest): number;
  chunkDelayMs(request: SimulatedRequest): number;
}
