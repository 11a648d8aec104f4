/** The one error family. Every error has a stable `code` and its facts as fields; none carries a key or a prompt. */

/** Stable codes of all errors of SynapseKit. */
export type ErrorCode =
  | 'config'
  | 'provider'
  | 'timeout'
  | 'unknown-price'
  | 'budget-exceeded'
  | 'circuit-open'
  | 'bulkhead-full'
  | 'rate-limited'
  | 'all-providers-failed'
  | 'no-candidate'
  | 'ledger'
  | 'stream-abandoned'
  | 'tool-arguments';

const brand: unique symbol = Symbol.for('@synapsekit/error');

/** Base of every error that SynapseKit throws itself. */
export class SynapseError extends Error {
  override readonly name: string = 'SynapseError';
  /** What happened, for code to switch on. Never changes between releases. */
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    // Seen by other installed copies of core, where `instanceof` is false.
    Object.defineProperty(this, brand, { value: true });
  }
}

/** An error by its code. */
export interface ErrorByCode {
  config: ConfigError;
  provider: ProviderError;
  timeout: CallTimeoutError;
  'unknown-price': UnknownPriceError;
  'budget-exceeded': BudgetExceededError;
  'circuit-open': CircuitBreakerOpen;
  'bulkhead-full': BulkheadFullError;
  'rate-limited': RateLimitedError;
  'all-providers-failed': AllProvidersFailedError;
  'no-candidate': NoCandidateError;
  ledger: LedgerError;
  'stream-abandoned': StreamAbandonedError;
  'tool-arguments': ToolArgumentsError;
}

/** True for an error of SynapseKit (of this code), also when it comes from another installed copy of core. */
export function isSynapseError(error: unknown): error is SynapseError;
export function isSynapseError<C extends ErrorCode>(error: unknown, code: C): error is ErrorByCode[C];
export function isSynapseError(error: unknown, code?: ErrorCode): boolean {
  if (typeof error !== 'object' || error === null) return false;
  try {
    return brand in error && (code === undefined || (error as Partial<SynapseError>).code === code);
  } catch {
    return false; // a hostile Proxy
  }
}

/** Wrong options, refused at construction: nothing was sent, nothing was spent. */
export class ConfigError extends SynapseError {
  override readonly name: string = 'ConfigError';
  /** The option at fault, if there is one. */
  readonly option: string | undefined;

  constructor(message: string, { option, ...rest }: ErrorOptions & { readonly option?: string } = {}) {
    super('config', message, rest);
    this.option = option;
  }
}

/**
 * What went wrong at a provider. The rules for each kind (does it count for a breaker, may it be retried, may
 * another provider be asked) stand in one table: `failureRules`.
 */
export type ProviderErrorKind =
  /** No connection, or it was lost: refused, reset, DNS, TLS. */
  | 'connection'
  /** 500, 502, 503, 504, 408, 52x, 529. */
  | 'server'
  /** 429: slow down. */
  | 'rate-limit'
  /** Groq 498: no capacity in this tier. */
  | 'capacity'
  /** Out of quota, credit or spend limit: waiting a little does not help. */
  | 'quota'
  /** 401: the key is missing, wrong or revoked. */
  | 'auth'
  /** 403: the key may not do this. */
  | 'permission'
  /** 404: there is no such model (any more). */
  | 'model-not-found'
  /** 400, 422 and any other refusal of the request itself. */
  | 'bad-request'
  /** The prompt is longer than the model's context window. */
  | 'context-length'
  /** 413, and "request too large": more than the provider, or the account's whole rate limit, takes at once. */
  | 'too-large'
  /** The provider's filter refused prompt or answer. */
  | 'content-filter'
  /** 409, 425. */
  | 'conflict'
  /** An answer with status 200 that is no answer: HTML, `{}`, no choices, broken JSON. */
  | 'malformed'
  /** A stream that ended without its terminator. */
  | 'truncated';

/** Facts of a failed attempt. */
export interface ProviderErrorFacts {
  readonly kind: ProviderErrorKind;
  readonly provider: string;
  readonly model: string;
  /** HTTP status, if there was an answer. */
  readonly status?: number | undefined;
  /** The provider's own error code, e.g. `"insufficient_quota"`. */
  readonly providerCode?: string | undefined;
  /** How long the provider asks to wait, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** The provider's request id, for its support. */
  readonly requestId?: string | undefined;
  /** The physical attempt that failed. */
  readonly attemptId?: string | undefined;
  /** True when content had already been handed to the consumer of a stream: nobody may start over silently. */
  readonly emitted?: boolean | undefined;
}

/** A provider failed or refused. */
export class ProviderError extends SynapseError implements ProviderErrorFacts {
  override readonly name: string = 'ProviderError';
  readonly kind: ProviderErrorKind;
  readonly provider: string;
  readonly model: string;
  readonly status: number | undefined;
  readonly providerCode: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly requestId: string | undefined;
  readonly attemptId: string | undefined;
  readonly emitted: boolean;

  constructor(message: string, facts: ProviderErrorFacts, options?: ErrorOptions) {
    super('provider', message, options);
    this.kind = facts.kind;
    this.provider = facts.provider;
    this.model = facts.model;
    this.status = facts.status;
    this.providerCode = facts.providerCode;
    this.retryAfterMs = facts.retryAfterMs;
    this.requestId = facts.requestId;
    this.attemptId = facts.attemptId;
    this.emitted = facts.emitted ?? false;
  }
}

/** Which of our own time limits ran out. */
export type TimeoutPhase = 'total' | 'first-token' | 'idle';

/** One of our own time limits ran out. A limit that the caller put into its own signal is an abort, not this. */
export class CallTimeoutError extends SynapseError {
  override readonly name: string = 'CallTimeoutError';
  readonly phase: TimeoutPhase;
  readonly timeoutMs: number;
  readonly attemptId: string | undefined;
  /** True when content had already been handed to the consumer of a stream. */
  readonly emitted: boolean;

  constructor(
    message: string,
    facts: {
      readonly phase: TimeoutPhase;
      readonly timeoutMs: number;
      readonly attemptId?: string | undefined;
      readonly emitted?: boolean | undefined;
    },
    options?: ErrorOptions,
  ) {
    super('timeout', message, options);
    this.phase = facts.phase;
    this.timeoutMs = facts.timeoutMs;
    this.attemptId = facts.attemptId;
    this.emitted = facts.emitted ?? false;
  }
}

/** A model has no price, and money is at stake. Nothing was sent. */
export class UnknownPriceError extends SynapseError {
  override readonly name: string = 'UnknownPriceError';
  readonly provider: string | undefined;
  readonly model: string;

  constructor(message: string, facts: { readonly provider?: string | undefined; readonly model: string }) {
    super('unknown-price', message);
    this.provider = facts.provider;
    this.model = facts.model;
  }
}

/** Facts of a refusal by a limit of tokens. */
export interface RefusedTokens {
  /** The limit. */
  readonly limit: number;
  /** Used in the window already. */
  readonly committed: number;
  /** Held by calls in flight. */
  readonly held: number;
  /** What this call needed, at worst. */
  readonly needed: number;
}

/** Facts of a refusal by a budget. Amounts are exact decimal strings of dollars, or tokens for a limit of tokens. */
export interface BudgetRefusal {
  /** Name of the guard that refused. */
  readonly guard: string;
  /**
   * The limit that refused: `"perRequest"`, `"hourly"`, `"daily"`, `"weekly"`, `"monthly"`, `"total"`,
   * `"rolling-3600s"`; for a limit of tokens with `"tokens."` before it.
   */
  readonly limit: string;
  /** The attribute that it is a limit of, for limits by user, tenant, model…: `"userId"`. */
  readonly attribute?: string | undefined;
  /** The value of that attribute in this call. */
  readonly attributeValue?: string | undefined;
  /** The window it refused in, e.g. `"2026-11-23"`; absent for limits without one. */
  readonly window?: string | undefined;
  /** The amount of the limit. Absent, like the other dollars, for a limit of tokens. */
  readonly limitUsd?: string | undefined;
  /** Already spent in the window. */
  readonly committedUsd?: string | undefined;
  /** Held by calls in flight. */
  readonly heldUsd?: string | undefined;
  /** What this call needed, at worst. */
  readonly neededUsd?: string | undefined;
  /** Set for a limit of tokens. */
  readonly tokens?: RefusedTokens | undefined;
  /** When the window ends, Unix milliseconds; absent when it never does. */
  readonly resetsAtMs?: number | undefined;
  /**
   * `"in-flight"`: fits once running calls settle for less than they hold. `"window"`: fits after the reset.
   * `"never"`: larger than the limit itself.
   */
  readonly fits: 'in-flight' | 'window' | 'never';
  /** How long to wait before it can help to ask again, milliseconds; absent when waiting cannot help. */
  readonly retryAfterMs?: number | undefined;
}

/** A budget refused the call before it was sent. Not a provider's 429. Never retried. */
export class BudgetExceededError extends SynapseError implements BudgetRefusal {
  override readonly name: string = 'BudgetExceededError';
  readonly guard: string;
  readonly limit: string;
  readonly attribute: string | undefined;
  readonly attributeValue: string | undefined;
  readonly window: string | undefined;
  readonly limitUsd: string | undefined;
  readonly committedUsd: string | undefined;
  readonly heldUsd: string | undefined;
  readonly neededUsd: string | undefined;
  readonly tokens: RefusedTokens | undefined;
  readonly resetsAtMs: number | undefined;
  readonly fits: 'in-flight' | 'window' | 'never';
  readonly retryAfterMs: number | undefined;

  constructor(message: string, refusal: BudgetRefusal) {
    super('budget-exceeded', message);
    this.guard = refusal.guard;
    this.limit = refusal.limit;
    this.attribute = refusal.attribute;
    this.attributeValue = refusal.attributeValue;
    this.window = refusal.window;
    this.limitUsd = refusal.limitUsd;
    this.committedUsd = refusal.committedUsd;
    this.heldUsd = refusal.heldUsd;
    this.neededUsd = refusal.neededUsd;
    this.tokens = refusal.tokens;
    this.resetsAtMs = refusal.resetsAtMs;
    this.fits = refusal.fits;
    this.retryAfterMs = refusal.retryAfterMs;
  }
}

/** A circuit breaker refused at once: the provider behind it is left alone. Nothing was sent. */
export class CircuitBreakerOpen extends SynapseError {
  override readonly name: string = 'CircuitBreakerOpen';
  /** Name of the breaker. */
  readonly breaker: string;
  readonly state: 'OPEN' | 'HALF_OPEN' | 'ISOLATED';
  /** Milliseconds until the next probe may go out; absent when only a person can close it. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    facts: {
      readonly breaker: string;
      readonly state: 'OPEN' | 'HALF_OPEN' | 'ISOLATED';
      readonly retryAfterMs?: number | undefined;
    },
    options?: ErrorOptions,
  ) {
    super('circuit-open', message, options);
    this.breaker = facts.breaker;
    this.state = facts.state;
    this.retryAfterMs = facts.retryAfterMs;
  }
}

/** A bulkhead has no free place and no room in its queue. Nothing was sent. */
export class BulkheadFullError extends SynapseError {
  override readonly name: string = 'BulkheadFullError';
  readonly maxConcurrent: number;
  readonly maxQueued: number;

  constructor(message: string, facts: { readonly maxConcurrent: number; readonly maxQueued: number }) {
    super('bulkhead-full', message);
    this.maxConcurrent = facts.maxConcurrent;
    this.maxQueued = facts.maxQueued;
  }
}

/** Our own rate limit refused: larger than the bucket, or the wait would be too long. Nothing was sent. */
export class RateLimitedError extends SynapseError {
  override readonly name: string = 'RateLimitedError';
  /** What ran out: `"requests"` or `"tokens"`. */
  readonly resource: 'requests' | 'tokens';
  /** Milliseconds until it would fit; absent when it never does. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    facts: { readonly resource: 'requests' | 'tokens'; readonly retryAfterMs?: number | undefined },
  ) {
    super('rate-limited', message);
    this.resource = facts.resource;
    this.retryAfterMs = facts.retryAfterMs;
  }
}

/** One candidate that did not serve. */
export interface ProviderFailure {
  /** `LLM.id` of the candidate. */
  readonly id: string;
  /** `"failed"`: it was asked. `"skipped"`: it was not. */
  readonly outcome: 'failed' | 'skipped';
  /** Why. */
  readonly error: unknown;
}

/** Every candidate failed or was skipped. */
export class AllProvidersFailedError extends SynapseError {
  override readonly name: string = 'AllProvidersFailedError';
  /** One entry per candidate, in the order of the chain. */
  readonly errors: readonly ProviderFailure[];
  /** The shortest wait after which one of them may serve, milliseconds; absent when none tells. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    facts: { readonly errors: readonly ProviderFailure[]; readonly retryAfterMs?: number | undefined },
  ) {
    super('all-providers-failed', message, { cause: facts.errors.at(-1)?.error });
    this.errors = facts.errors;
    this.retryAfterMs = facts.retryAfterMs;
  }
}

/** Why one model was not even considered for a call. */
export interface CandidateRefusal {
  /** `LLM.id` of the candidate. */
  readonly id: string;
  /** Who ruled it out: `"capabilities"`, or the name of a policy. */
  readonly policy: string;
  /** Why, for people: `"it takes no images"`. Never a part of the prompt. */
  readonly reason: string;
}

/** A router found no model that could serve this request, whatever its state. Nothing was sent. */
export class NoCandidateError extends SynapseError {
  override readonly name: string = 'NoCandidateError';
  /** Every reason of every candidate. */
  readonly refusals: readonly CandidateRefusal[];

  constructor(message: string, facts: { readonly refusals: readonly CandidateRefusal[] }) {
    super('no-candidate', message);
    this.refusals = facts.refusals;
  }
}

/** The ledger of a budget could not answer, or the same id was used for different things. */
export class LedgerError extends SynapseError {
  override readonly name: string = 'LedgerError';
  /** True when asking again can help (the store is away), false when it cannot (a conflict, a corrupt store). */
  readonly transient: boolean;

  constructor(message: string, { transient, ...options }: ErrorOptions & { readonly transient: boolean }) {
    super('ledger', message, options);
    this.transient = transient;
  }
}

/** `.result` of a stream whose consumer stopped before the end, when there is nothing to hand out. */
export class StreamAbandonedError extends SynapseError {
  override readonly name: string = 'StreamAbandonedError';

  constructor(
    message = 'The stream was left before its end. Read it to the end, or await `.result` instead.',
  ) {
    super('stream-abandoned', message);
  }
}

/** One thing that is wrong with the arguments of a tool call. */
export interface ToolArgumentsIssue {
  /** Where, as in `"items.0.name"`; empty for the whole. Keys that the model made up are in it. */
  readonly path: string;
  /** What the schema says of it. Fit for the model; it may quote what the model wrote. */
  readonly message: string;
}

/** A model called a tool with arguments that its schema refuses. The message quotes none of them, `issues` may. */
export class ToolArgumentsError extends SynapseError {
  override readonly name: string = 'ToolArgumentsError';
  /** Name of the tool. */
  readonly tool: string;
  /** `ToolCall.id`, for the answer to the model. */
  readonly toolCallId: string;
  readonly issues: readonly ToolArgumentsIssue[];

  constructor(
    message: string,
    facts: {
      readonly tool: string;
      readonly toolCallId: string;
      readonly issues: readonly ToolArgumentsIssue[];
    },
  ) {
    super('tool-arguments', message);
    this.tool = facts.tool;
    this.toolCallId = facts.toolCallId;
    this.issues = facts.issues;
  }
}
