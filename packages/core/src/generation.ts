import type { Attempt } from './attempt.ts';
import type { ProviderFailure } from './errors.ts';
import type { ToolCall } from './tool.ts';
import type { Usage } from './usage.ts';

/**
 * Why a model stopped. `"aborted"`: the consumer of a stream left early. `"budget_cut"`: a budget cut the stream when
 * it had cost what was held for it. `"other"`: see `rawFinishReason`.
 */
export type FinishReason =
  | 'stop'
  | 'length'
  | 'tool-calls'
  | 'content-filter'
  | 'aborted'
  | 'budget_cut'
  | 'other';

/** Log-probability of one output token. */
export interface TokenLogprob {
  readonly token: string;
  /** Natural logarithm of the token's probability. */
  readonly logprob: number;
  readonly alternatives: readonly { readonly token: string; readonly logprob: number }[];
}

/** What the provider says is left of its rate limits. Absent where it says nothing. */
export interface RateLimitState {
  readonly limitRequests?: number | undefined;
  readonly remainingRequests?: number | undefined;
  /** Milliseconds until the request limit is full again. */
  readonly resetRequestsMs?: number | undefined;
  readonly limitTokens?: number | undefined;
  readonly remainingTokens?: number | undefined;
  /** Milliseconds until the token limit is full again. */
  readonly resetTokensMs?: number | undefined;
}

/** An answer. */
export interface Generation {
  /** The text; empty when the model only called tools. */
  readonly text: string;
  /** The model's visible reasoning, where the provider returns it. */
  readonly reasoningText?: string | undefined;
  readonly toolCalls: readonly ToolCall[];
  readonly finishReason: FinishReason;
  /** The provider's own word for `finishReason`. */
  readonly rawFinishReason?: string | undefined;
  /** What the serving attempt used. */
  readonly usage: Usage;
  /** Every attempt that may have cost anything, failed ones and other providers' included, the serving one last. */
  readonly attempts: readonly Attempt[];
  readonly provider: string;
  /** The model that was asked for. */
  readonly model: string;
  /** `LLM.id` of the model that served. */
  readonly servedBy: string;
  /** The model that the response names. */
  readonly servedModel: string;
  /** The provider's id of this answer. */
  readonly responseId?: string | undefined;
  /** The provider's request id, for its support. */
  readonly requestId?: string | undefined;
  readonly logprobs?: readonly TokenLogprob[] | undefined;
  readonly rateLimit?: RateLimitState | undefined;
  /** Milliseconds of the serving attempt. */
  readonly latencyMs: number;
  /** Milliseconds from sending to the first content, for streams. */
  readonly firstTokenMs?: number | undefined;
  /** Candidates that were asked or skipped before the one that served. Empty without failover. */
  readonly failures: readonly ProviderFailure[];
}
