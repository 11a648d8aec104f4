import {
  type CallOptions,
  type Clock,
  ConfigError,
  type LLM,
  type PriceLookup,
  type Prompt,
  rejectUnknownKeys,
  requireNumber,
  systemClock,
  usdNumber,
} from '@synapsekit/core';
import { BoundedMap } from './bounded-map.ts';
import type { RouteCandidate, RouteDraft, RoutePolicy } from './route-policy.ts';
import { servingCandidate } from './serving-candidate.ts';

/** Options of `stayInConversation`. */
export interface StayInConversationOptions {
  /** What a call belongs to; `undefined`: to nothing. @default `attributes.conversationId` */
  readonly key?: ((prompt: Prompt, options: CallOptions) => string | undefined) | undefined;
  /** Prices, to count the lost prompt cache: `tracker.prices`. @default it is not counted */
  readonly prices?: PriceLookup | undefined;
  /** Moves to a better model when that gains so much, costs considered, 0 to 1. @default 0.05 */
  readonly minGain?: number | undefined;
  /** How long a provider keeps a prompt in its cache, in milliseconds. @default 300000 (OpenAI: 5 to 10 minutes) */
  readonly cacheMs?: number | undefined;
  /** Shorter prompts are not cached, in tokens. @default 1024 (OpenAI) */
  readonly minCacheTokens?: number | undefined;
  /** A conversation is forgotten after so long without a call, in milliseconds. @default 3600000 */
  readonly idleMs?: number | undefined;
  /** How many conversations are remembered; the ones that were quiet for longest go first. @default 10000 */
  readonly maxConversations?: number | undefined;
  /** @default systemClock */
  readonly clock?: Clock | undefined;
}

interface Conversation {
  readonly model: string;
  readonly lastMs: number;
  /** What the provider has read and written of it: the next prompt begins with it. */
  readonly tokens: number;
}

const known = [
  'key',
  'prices',
  'minGain',
  'cacheMs',
  'minCacheTokens',
  'idleMs',
  'maxConversations',
  'clock',
];

/**
 * Stays with the model of a conversation: no change of voice from turn to turn, no cold prompt cache.
 *
 * - Never goes down to a weaker model while the other one can serve, and never changes while a tool call is under way.
 * - Goes up where that pays: where the gain is worth the dearer call and the prompt cache that is lost with the change.
 *   Where no quality is predicted, a query of a higher tier goes up.
 * - A budget or a cap before it in the list has the last word.
 *
 * Memory is bounded; nothing of a prompt is kept.
 *
 * @throws ConfigError for options out of range.
 */
export function stayInConversation(options: StayInConversationOptions = {}): RoutePolicy {
  rejectUnknownKeys(options, known, 'stayInConversation');
  const { key = conversationId, prices, minGain = 0.05, cacheMs = 300_000, minCacheTokens = 1_024 } = options;
  const { idleMs = 3_600_000, maxConversations = 10_000, clock = systemClock } = options;
  if (typeof key !== 'function') {
    throw new ConfigError('key must be a function of prompt and options.', { option: 'key' });
  }
  requireNumber(minGain, 'minGain', { min: 0, max: 1 });
  requireNumber(cacheMs, 'cacheMs', { min: 0 });
  requireNumber(minCacheTokens, 'minCacheTokens', { integer: true, min: 0 });
  requireNumber(idleMs, 'idleMs', { above: 0 });
  requireNumber(maxConversations, 'maxConversations', { integer: true, min: 1 });
  const conversations = new BoundedMap<string, Conversation>(maxConversations);

  /** What the next call would save with the model that has read the conversation already. */
  const cachedUsd = (conversation: Conversation, llm: LLM): number => {
    const { tokens, lastMs } = conversation;
    if (tokens < minCacheTokens || clock.monotonic() - lastMs > cacheMs) return 0;
    const leaf = llm.candidates?.()[0] ?? llm;
    const price = prices?.find({ provider: leaf.provider, model: leaf.model });
    if (price === undefined) return 0;
    const cold = price.costPico({ inputTokens: tokens, outputTokens: 0 });
    const warm = price.costPico({ inputTokens: tokens, outputTokens: 0, cachedInputTokens: tokens });
    return cold > warm ? usdNumber(cold - warm) : 0;
  };

  return {
    name: 'stay-in-conversation',

    apply(draft) {
      const id = key(draft.prompt, draft.options);
      const conversation = id === undefined ? undefined : conversations.get(id);
      if (id === undefined || conversation === undefined) return;
      if (clock.monotonic() - conversation.lastMs > idleMs) {
        conversations.take(id);
        return;
      }
      const current = draft.candidates.find(({ llm }) => llm.id === conversation.model);
      if (current === undefined || draft.isDeferred(current)) return;
      if (inToolLoop(draft.prompt)) {
        draft.prefer(current, 'a tool call is under way');
        return;
      }
      const savedUsd = cachedUsd(conversation, current.llm);
      // The figures take every prompt for a cold one.
      if (savedUsd > 0) draft.charge(current, -savedUsd, 'it has the conversation in its prompt cache');
      const better = movesUpTo(draft, current, savedUsd, minGain);
      if (better === undefined) draft.prefer(current, 'the conversation is with it');
      else draft.prefer(better, 'moving up pays, the lost prompt cache considered');
    },

    settle({ generation, prompt, options: callOptions, candidates }) {
      const id = generation === undefined ? undefined : key(prompt, callOptions);
      if (generation === undefined || id === undefined) return;
      const served = servingCandidate(generation, candidates);
      if (served === undefined) return;
      const { inputTokens, outputTokens } = generation.usage;
      conversations.set(id, {
        model: served.llm.id,
        lastMs: clock.monotonic(),
        tokens: inputTokens + outputTokens,
      });
    },
  };
}

function conversationId(_: Prompt, { attributes }: CallOptions): string | undefined {
  const id = attributes?.conversationId;
  return id === undefined ? undefined : String(id);
}

/** The model that is worth leaving the present one for. */
function movesUpTo(
  draft: RouteDraft,
  current: RouteCandidate,
  savedUsd: number,
  minGain: number,
): RouteCandidate | undefined {
  const others = draft.candidates.filter(
    (candidate) => candidate !== current && !draft.isDeferred(candidate),
  );
  const { quality, costUsd = 0 } = current;
  if (quality === undefined) {
    const [first] = others.filter(({ reserve }) => reserve !== true);
    return first !== undefined && (first.tier ?? 0) > (current.tier ?? 0) ? first : undefined;
  }
  let best: { readonly candidate: RouteCandidate; readonly worth: number } | undefined;
  for (const candidate of others) {
    if (candidate.quality === undefined || candidate.quality <= quality) continue;
    const moreUsd = (candidate.costUsd ?? 0) - (costUsd - savedUsd);
    const worth = candidate.quality - quality - draft.qualityPerUsd * moreUsd;
    if (worth >= minGain && worth > (best?.worth ?? 0)) best = { candidate, worth };
  }
  return best?.candidate;
}

/** The last word is a tool's: whoever asked for it is to read it. */
function inToolLoop(prompt: Prompt): boolean {
  return typeof prompt !== 'string' && prompt.at(-1)?.role === 'tool';
}
