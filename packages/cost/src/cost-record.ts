import {
  type Attributes,
  type CostRecord,
  parseUsd,
  type Usage,
  usdDecimal,
  usdNumber,
} from '@synapsekit/core';
import { type Amounts, summand } from './totals.ts';
import { freezeUsage } from './usage-facts.ts';
import type { ModelIdentity, Valuation } from './valuer.ts';

/** Everything that goes into a record. */
export interface RecordFacts {
  readonly attemptId: string;
  readonly atMs: number;
  readonly identity: ModelIdentity;
  readonly usage: Usage;
  readonly estimated: boolean;
  readonly cost: Valuation;
  /** Frozen. */
  readonly scopePath: readonly string[];
  /** Frozen. */
  readonly attributes: Attributes;
}

/** What one attempt adds to every total that it belongs to. */
export function amountsOf(
  usage: Usage,
  { pico, unpriced }: Pick<Valuation, 'pico' | 'unpriced'>,
  estimated: boolean,
): Amounts {
  return {
    pico,
    picoNumber: summand(pico),
    calls: 1,
    inputTokens: usage.inputTokens,
    cachedInputTokens: usage.cachedInputTokens ?? 0,
    outputTokens: usage.outputTokens,
    reasoningTokens: usage.reasoningTokens ?? 0,
    estimatedCalls: estimated ? 1 : 0,
    unpricedCalls: unpriced ? 1 : 0,
  };
}

/** What a record has added. */
export function recordedAmounts({ usage, costUsdExact, unpriced, estimated }: CostRecord): Amounts {
  return amountsOf(usage, { pico: parseUsd(costUsdExact), unpriced }, estimated);
}

/** A record, frozen through and through, without fields that say nothing. */
export function createRecord(facts: RecordFacts): CostRecord {
  const { attemptId, atMs, identity, usage, estimated, cost, scopePath, attributes } = facts;
  const record: { -readonly [K in keyof CostRecord]: CostRecord[K] } = {
    version: 1,
    attemptId,
    atMs,
    provider: identity.provider,
    model: identity.model,
    modelId: identity.id,
    usage: freezeUsage(usage, attemptId, estimated ? 'estimated' : 'provider'),
    costUsd: usdNumber(cost.pico),
    costUsdExact: usdDecimal(cost.pico),
    unpriced: cost.unpriced,
    estimated,
    scopePath,
    attributes,
  };
  if (usage.servedModel !== undefined) record.servedModel = usage.servedModel;
  if (cost.pricedAs !== undefined && !cost.unpriced) record.pricedAs = cost.pricedAs;
  return Object.freeze(record);
}
