import { ConfigError } from './errors.ts';

/**
 * Token counts of one attempt, in one convention for all providers: `inputTokens` **includes** cached and
 * cache-written tokens, `outputTokens` **includes** reasoning tokens.
 */
export interface TokenCounts {
  /** All prompt tokens, cached ones included. */
  readonly inputTokens: number;
  /** All completion tokens, reasoning ones included. */
  readonly outputTokens: number;
  /** Prompt tokens that the provider read from its cache. Part of `inputTokens`. */
  readonly cachedInputTokens?: number | undefined;
  /** Prompt tokens that the provider wrote to its cache. Part of `inputTokens`. */
  readonly cacheWriteTokens?: number | undefined;
  /** Hidden thinking tokens. Part of `outputTokens`. */
  readonly reasoningTokens?: number | undefined;
  /** Audio tokens of the prompt. Part of `inputTokens`. */
  readonly inputAudioTokens?: number | undefined;
  /** Audio tokens of the answer. Part of `outputTokens`. */
  readonly outputAudioTokens?: number | undefined;
}

/** Who counted: the provider itself, or we did (no usage came, a stream was cut, …). */
export type UsageSource = 'provider' | 'estimated';

/** What one physical attempt used, and which one it was. */
export interface Usage extends TokenCounts {
  /** Identity of the physical attempt: money is booked once per `attemptId`, whoever reports it. */
  readonly attemptId?: string | undefined;
  /** The model that the response says it came from; it may be a dated snapshot of the one asked for. */
  readonly servedModel?: string | undefined;
  /** The service tier that the response reports (`"default"`, `"flex"`, `"priority"`, `"batch"`…), not the one asked for. */
  readonly serviceTier?: string | undefined;
  /** @default "provider" */
  readonly source?: UsageSource | undefined;
}

/** The names of all counts. */
export const tokenCountNames: readonly (keyof TokenCounts)[] = [
  'inputTokens',
  'outputTokens',
  'cachedInputTokens',
  'cacheWriteTokens',
  'reasoningTokens',
  'inputAudioTokens',
  'outputAudioTokens',
];

/**
 * Checks that token counts are whole, not negative, and that parts do not exceed their whole.
 *
 * @throws ConfigError naming the count and its value.
 */
export function assertTokenCounts(usage: TokenCounts): void {
  const {
    inputTokens,
    outputTokens,
    cachedInputTokens = 0,
    cacheWriteTokens = 0,
    reasoningTokens = 0,
    inputAudioTokens = 0,
    outputAudioTokens = 0,
  } = usage;
  // By name: this is asked several times of each call, and going through a list of names takes five times as long.
  const areCounts =
    isCount(inputTokens) &&
    isCount(outputTokens) &&
    isCount(cachedInputTokens) &&
    isCount(cacheWriteTokens) &&
    isCount(reasoningTokens) &&
    isCount(inputAudioTokens) &&
    isCount(outputAudioTokens);
  if (!areCounts) throw notACount(usage);
  if (cachedInputTokens + cacheWriteTokens > inputTokens) {
    throw new ConfigError(
      `cachedInputTokens (${cachedInputTokens}) + cacheWriteTokens (${cacheWriteTokens}) exceed inputTokens (${inputTokens}); inputTokens includes both.`,
      { option: 'inputTokens' },
    );
  }
  if (inputAudioTokens > inputTokens || outputAudioTokens > outputTokens) {
    throw new ConfigError(
      `Audio tokens (${inputAudioTokens} in, ${outputAudioTokens} out) exceed all tokens (${inputTokens} in, ${outputTokens} out).`,
      { option: inputAudioTokens > inputTokens ? 'inputAudioTokens' : 'outputAudioTokens' },
    );
  }
  if (reasoningTokens > outputTokens) {
    throw new ConfigError(
      `reasoningTokens (${reasoningTokens}) exceed outputTokens (${outputTokens}); outputTokens includes them.`,
      { option: 'outputTokens' },
    );
  }
}

function isCount(value: number | undefined): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function notACount(usage: TokenCounts): ConfigError {
  const isMissing = (name: keyof TokenCounts): boolean =>
    usage[name] === undefined && name !== 'inputTokens' && name !== 'outputTokens';
  const name = tokenCountNames.find((one) => !isMissing(one) && !isCount(usage[one])) ?? 'inputTokens';
  return new ConfigError(`${name} must be a whole number >= 0, got ${String(usage[name])}.`, {
    option: name,
  });
}
