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
  rejectUnknownKeys(options, callOptionNames, 'CallOptions');
  checkNumbers(options);
  checkKinds(options);
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

/** `true` for each option, so that none is forgotten here. */
const callOptions: Readonly<Record<keyof CallOptions, true>> = {
  timeoutMs: true,
  firstTokenTimeoutMs: true,
  idleTimeoutMs: true,
  temperature: true,
  maxTokens: true,
  topP: true,
  stop: true,
  seed: true,
  tools: true,
  toolChoice: true,
  parallelToolCalls: true,
  responseFormat: true,
  logprobs: true,
  reasoningEffort: true,
  serviceTier: true,
  signal: true,
  includeUsage: true,
  attributes: true,
  onAttemptStart: true,
  onAttempt: true,
};
const callOptionNames: readonly string[] = Object.keys(callOptions);

const toolChoices: readonly unknown[] = ['auto', 'none', 'required'];
const formats: readonly unknown[] = ['text', 'json', 'json-schema'];

function checkKinds(options: CallOptions): void {
  const { parallelToolCalls, includeUsage, reasoningEffort, serviceTier, logprobs } = options;
  const { toolChoice, responseFormat, attributes } = options;
  const refuse = (option: string, kind: string, value: unknown): never => {
    throw new ConfigError(`${option} must be ${kind}, got ${shown(value)}.`, { option });
  };
  const requireFlag = (option: string, value: unknown): void => {
    if (value !== undefined && typeof value !== 'boolean') refuse(option, 'true or false', value);
  };
  const requireWord = (option: string, value: unknown): void => {
    if (value !== undefined && typeof value !== 'string') refuse(option, 'a string', value);
  };
  requireFlag('parallelToolCalls', parallelToolCalls);
  requireFlag('includeUsage', includeUsage);
  requireWord('reasoningEffort', reasoningEffort);
  requireWord('serviceTier', serviceTier);
  if (logprobs !== undefined && typeof logprobs !== 'boolean' && typeof logprobs !== 'number') {
    refuse('logprobs', 'true, false or a whole number', logprobs);
  }
  if (toolChoice !== undefined && typeof toolChoice !== 'object' && !toolChoices.includes(toolChoice)) {
    refuse('toolChoice', '"auto", "none", "required" or { name }', toolChoice);
  }
  if (responseFormat !== undefined && !formats.includes(responseFormat?.type)) {
    refuse('responseFormat.type', '"text", "json" or "json-schema"', responseFormat?.type);
  }
  if (attributes !== undefined && (typeof attributes !== 'object' || attributes === null)) {
    refuse('attributes', 'an object of plain values', attributes);
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
