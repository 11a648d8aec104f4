import type { Attempt, AttemptIdentity } from './attempt.ts';
import { ConfigError } from './errors.ts';
import type { ResponseFormat, Tool, ToolChoice } from './tool.ts';
import { rejectUnknownKeys, requireNumber, shown } from './validate.ts';

/** Time limits of one attempt. Each is in milliseconds; none given means none. */
export interface TimeLimits {
  /** The whole attempt, from sending to the last byte. */
  readonly timeoutMs?: number | undefined;
  /** Until the first content of a stream. Keep-alives and empty deltas are no content. */
  readonly firstTokenTimeoutMs?: number | undefined;
  /** Between two pieces of content of a stream; a slow consumer does not count. */
  readonly idleTimeoutMs?: number | undefined;
}

/** What a model is built with. Everything can be overridden per call. */
export interface LLMConfig extends TimeLimits {
  /** Sampling temperature, 0 to 2. Left out for reasoning models, which refuse it. */
  readonly temperature?: number | undefined;
  /** The most tokens that an answer may have. */
  readonly maxTokens?: number | undefined;
  /**
   * Count tokens with a real tokenizer (`gpt-tokenizer`, an optional peer dependency) wherever the provider
   * sends no usage: aborted streams, hosts that count nothing. Otherwise such counts are rough.
   * @default false
   */
  readonly trackTokens?: boolean | undefined;
}

/** What may be said for one call. Anything left out comes from the model's `LLMConfig`, then from the provider. */
export interface CallOptions extends TimeLimits {
  readonly temperature?: number | undefined;
  readonly maxTokens?: number | undefined;
  readonly topP?: number | undefined;
  readonly stop?: string | readonly string[] | undefined;
  readonly seed?: number | undefined;
  readonly tools?: readonly Tool[] | undefined;
  readonly toolChoice?: ToolChoice | undefined;
  /** May the model ask for several tools at once? @default the provider's */
  readonly parallelToolCalls?: boolean | undefined;
  readonly responseFormat?: ResponseFormat | undefined;
  /** Return log-probabilities: `true`, or how many alternatives per token (0 to 20). */
  readonly logprobs?: boolean | number | undefined;
  /** How hard a reasoning model thinks, in the provider's own words (`"low"`, `"medium"`, `"high"`…). */
  readonly reasoningEffort?: string | undefined;
  /** Service tier to ask for, in the provider's own words (`"flex"`, `"priority"`…). */
  readonly serviceTier?: string | undefined;
  /** Aborts the call, at once, wherever it is. */
  readonly signal?: AbortSignal | undefined;
  /** Emit a `usage` event in streams. `.result` has the usage either way. @default false */
  readonly includeUsage?: boolean | undefined;
  /** Who and what this call is for (`{ userId, tenant, feature }`): keys for limits and reports. */
  readonly attributes?: Attributes | undefined;
  /**
   * Asked before each physical attempt is sent; whatever it throws ends the attempt as `"unsent"` and fails the call.
   * A budget makes sure here that a second attempt inside one held call is covered too. Middleware asks its own
   * listener, then the caller's.
   */
  readonly onAttemptStart?: ((attempt: AttemptIdentity) => void | Promise<void>) | undefined;
  /**
   * Told about every physical attempt that this call made, once each, when it ends: served, failed, or aborted.
   * Middleware chains its own listener before the caller's. What it throws becomes a warning of the process.
   */
  readonly onAttempt?: ((attempt: Attempt) => void) | undefined;
}

/** Free facts about a call. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

/**
 * Checks a model's configuration and returns it as a copy.
 *
 * @throws ConfigError for an unknown key or a value out of range.
 */
export function checkLLMConfig(config: LLMConfig = {}): LLMConfig {
  rejectUnknownKeys(
    config,
    ['temperature', 'maxTokens', 'trackTokens', 'timeoutMs', 'firstTokenTimeoutMs', 'idleTimeoutMs'],
    'LLMConfig',
  );
  if (config.trackTokens !== undefined && typeof config.trackTokens !== 'boolean') {
    throw new ConfigError(`trackTokens must be true or false, got ${shown(config.trackTokens)}.`, {
      option: 'trackTokens',
    });
  }
  checkNumbers(config);
  return { ...config };
}

/**
 * Checks the options of one call.
 *
 * @throws ConfigError for a value of the wrong kind or out of range. Nothing is sent.
 */
export function checkCallOptions(options: CallOptions): void {
  checkNumbers(options);
  const { topP, seed, logprobs, stop, tools, toolChoice, signal } = options;
  if (topP !== undefined) requireNumber(topP, 'topP', { min: 0, max: 1 });
  if (seed !== undefined) requireNumber(seed, 'seed', { integer: true, min: Number.MIN_SAFE_INTEGER });
  if (typeof logprobs === 'number') requireNumber(logprobs, 'logprobs', { integer: true, min: 0, max: 20 });
  if (stop !== undefined && ![stop].flat().every((text) => typeof text === 'string')) {
    throw new ConfigError('stop must be a string or a list of strings.', { option: 'stop' });
  }
  if (
    tools !== undefined &&
    !(Array.isArray(tools) && tools.every((tool) => typeof tool?.name === 'string'))
  ) {
    throw new ConfigError('tools must be a list of tools, each with a name.', { option: 'tools' });
  }
  if (signal !== undefined && typeof signal?.addEventListener !== 'function') {
    throw new ConfigError('signal must be an AbortSignal.', { option: 'signal' });
  }
  if (toolChoice === null) throw new ConfigError('toolChoice must not be null.', { option: 'toolChoice' });
  if (typeof toolChoice === 'object' && !tools?.some(({ name }) => name === toolChoice.name)) {
    throw new ConfigError(`toolChoice names the tool "${toolChoice.name}", which is not among the tools.`, {
      option: 'toolChoice',
    });
  }
}

function checkNumbers(options: LLMConfig | CallOptions): void {
  const { temperature, maxTokens, timeoutMs, firstTokenTimeoutMs, idleTimeoutMs } = options;
  if (temperature !== undefined) requireNumber(temperature, 'temperature', { min: 0, max: 2 });
  if (maxTokens !== undefined) requireNumber(maxTokens, 'maxTokens', { integer: true, min: 1 });
  if (timeoutMs !== undefined) requireNumber(timeoutMs, 'timeoutMs', { above: 0 });
  if (firstTokenTimeoutMs !== undefined)
    requireNumber(firstTokenTimeoutMs, 'firstTokenTimeoutMs', { above: 0 });
  if (idleTimeoutMs !== undefined) requireNumber(idleTimeoutMs, 'idleTimeoutMs', { above: 0 });
}
