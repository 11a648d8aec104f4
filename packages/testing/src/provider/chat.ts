import type { ProviderName, ServedModel } from './model.ts';
import type { SimulatedRequest } from './simulated-request.ts';
import { messageText, type WireBody, type WireMessage } from './wire.ts';

/** A chat request that passed validation: what an answer can be made from. */
export interface SimulatedChat {
  readonly provider: ProviderName;
  /** The model asked for. */
  readonly model: string;
  readonly messages: readonly WireMessage[];
  /** Text of the last user message. */
  readonly userText: string;
  /** Text of all system and developer messages. */
  readonly systemText: string;
  /** The request body, whole. */
  readonly body: WireBody;
  /** The request as the server logs it. */
  readonly request: SimulatedRequest;
}

/** A chat with everything the server needs to answer it. */
export interface ValidChat extends SimulatedChat {
  readonly served: ServedModel;
  readonly promptTokens: number;
  /** The most tokens that the answer may have. */
  readonly maxTokens: number;
  readonly stop: readonly string[];
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly serviceTier: string;
  /** How many alternatives each token comes with; `undefined` when no logprobs are wanted. */
  readonly topLogprobs: number | undefined;
}

/** The texts of a chat that answers depend on. */
export function chatTexts(messages: readonly WireMessage[]): { userText: string; systemText: string } {
  const user = messages.findLast(({ role }) => role === 'user');
  const system = messages.filter(({ role }) => role === 'system' || role === 'developer');
  return {
    userText: user === undefined ? '' : messageText(user),
    systemText: system.map(messageText).join('\n'),
  };
}
