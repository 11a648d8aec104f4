import {
  assertTokenCounts,
  ConfigError,
  tokenCountNames,
  type Usage,
  type UsageSource,
} from '@synapsekit/core';

type MutableUsage = { -readonly [K in keyof Usage]: Usage[K] };

/**
 * Checks a usage that was given by hand.
 *
 * @throws ConfigError naming what is wrong.
 */
export function checkUsage(usage: Usage): void {
  if (typeof usage !== 'object' || usage === null) {
    throw new ConfigError('usage must be an object with inputTokens and outputTokens.', { option: 'usage' });
  }
  assertTokenCounts(usage);
  const { attemptId, servedModel, serviceTier, source } = usage;
  requireNameIfGiven(attemptId, 'attemptId');
  requireNameIfGiven(servedModel, 'servedModel');
  requireNameIfGiven(serviceTier, 'serviceTier');
  if (source !== undefined && source !== 'provider' && source !== 'estimated') {
    throw new ConfigError(`usage.source must be "provider" or "estimated", got ${JSON.stringify(source)}.`, {
      option: 'source',
    });
  }
}

function requireNameIfGiven(value: unknown, option: string): void {
  if (value === undefined || isName(value)) return;
  throw new ConfigError(`usage.${option} must be a non-empty string where it is given.`, { option });
}

/** A usage that came from a provider, made safe to book. */
export interface SafeUsage {
  readonly usage: Usage;
  /** Something could not be, and was repaired. */
  readonly repaired: boolean;
  /** The input or the output is not known at all: what it cost cannot be told. */
  readonly incomplete: boolean;
}

/**
 * Makes whatever a provider sent bookable, so that no paid call is lost over its numbers: a count that is no count is
 * left out, a whole smaller than its parts is raised to them.
 */
export function repairUsage(given: Usage | undefined): SafeUsage {
  const raw: Partial<Usage> = typeof given === 'object' && given !== null ? given : {};
  const repaired = !isBookable(raw);
  const incomplete = !isCount(raw.inputTokens) || !isCount(raw.outputTokens);
  const usage: MutableUsage = { inputTokens: 0, outputTokens: 0 };
  for (const name of tokenCountNames) {
    const value = raw[name];
    if (isCount(value)) usage[name] = value;
  }
  const { cachedInputTokens = 0, cacheWriteTokens = 0, reasoningTokens = 0 } = usage;
  const { inputAudioTokens = 0, outputAudioTokens = 0 } = usage;
  usage.inputTokens = Math.max(usage.inputTokens, cachedInputTokens + cacheWriteTokens, inputAudioTokens);
  usage.outputTokens = Math.max(usage.outputTokens, reasoningTokens, outputAudioTokens);
  if (isName(raw.attemptId)) usage.attemptId = raw.attemptId;
  if (isName(raw.servedModel)) usage.servedModel = raw.servedModel;
  if (isName(raw.serviceTier)) usage.serviceTier = raw.serviceTier;
  if (repaired) usage.source = 'estimated';
  else if (raw.source === 'estimated' || raw.source === 'provider') usage.source = raw.source;
  return { usage, repaired, incomplete };
}

/** A frozen copy with the known fields only. */
export function freezeUsage(usage: Usage, attemptId: string, source: UsageSource): Usage {
  const copy: MutableUsage = { inputTokens: usage.inputTokens, outputTokens: usage.outputTokens };
  if (usage.cachedInputTokens !== undefined) copy.cachedInputTokens = usage.cachedInputTokens;
  if (usage.cacheWriteTokens !== undefined) copy.cacheWriteTokens = usage.cacheWriteTokens;
  if (usage.reasoningTokens !== undefined) copy.reasoningTokens = usage.reasoningTokens;
  if (usage.inputAudioTokens !== undefined) copy.inputAudioTokens = usage.inputAudioTokens;
  if (usage.outputAudioTokens !== undefined) copy.outputAudioTokens = usage.outputAudioTokens;
  copy.attemptId = attemptId;
  if (usage.servedModel !== undefined) copy.servedModel = usage.servedModel;
  if (usage.serviceTier !== undefined) copy.serviceTier = usage.serviceTier;
  copy.source = source;
  return Object.freeze(copy);
}

function isBookable(usage: Partial<Usage>): boolean {
  try {
    assertTokenCounts(usage as Usage);
    return true;
  } catch {
    return false;
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** True for a name that may stand in a record. */
export function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
