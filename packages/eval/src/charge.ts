import { type CostRecord, type PicoUsd, parseUsd } from '@synapsekit/core';

/** What is kept of a cost record, or of what a request at the HTTP boundary cost. */
export interface Charge {
  readonly attemptId: string;
  /** Name of the model for people. */
  readonly model: string;
  /** What it cost; `undefined` when nobody knows: the record has no price, or cannot be read. */
  readonly pico: PicoUsd | undefined;
  /** True when the tokens were estimated. */
  readonly estimated: boolean;
  /** Its tokens, where they are known: they tell that two who report without an id mean the same call. */
  readonly tokens?: { readonly input: number; readonly output: number } | undefined;
  /** Names of the scopes that it was recorded in, outermost first. */
  readonly scopes?: readonly string[] | undefined;
  /** Why the cost is not known, where it is not for want of a price. */
  readonly unknown?: 'no-usage' | undefined;
}

/** Prices a record anew: exact dollars as a decimal string, `undefined` where there is no price. */
export type Reprice = (record: CostRecord) => string | undefined;

/**
 * Reads a message of the `synapsekit:cost` channel. It may come from another installed copy of SynapseKit, so what
 * cannot be understood becomes a charge of unknown cost: never zero, and never an exception in the publisher.
 */
export function readCharge(message: unknown, reprice?: Reprice): Charge | undefined {
  try {
    const record = message as CostRecord;
    const { version, attemptId, modelId, unpriced, estimated } = record;
    if (typeof attemptId !== 'string') return undefined;
    const usd = reprice === undefined ? (unpriced ? undefined : record.costUsdExact) : reprice(record);
    const tokens = readTokens(record);
    return {
      attemptId,
      model: String(modelId),
      pico: version === 1 ? readUsd(usd) : undefined,
      estimated: estimated === true,
      ...(tokens !== undefined && { tokens }),
      ...(Array.isArray(record.scopePath) && record.scopePath.length > 0 && { scopes: record.scopePath }),
    };
  } catch {
    return undefined;
  }
}

function readUsd(decimal: unknown): PicoUsd | undefined {
  try {
    return typeof decimal === 'string' ? parseUsd(decimal) : undefined;
  } catch {
    return undefined;
  }
}

function readTokens({ usage }: Partial<CostRecord>): Charge['tokens'] {
  const { inputTokens, outputTokens } = usage ?? {};
  if (typeof inputTokens !== 'number' || typeof outputTokens !== 'number') return undefined;
  return { input: inputTokens, output: outputTokens };
}

/**
 * The one charge that counts where several trackers recorded the same attempt: one with a price over one without,
 * counted tokens over estimated ones, then the dearer. So the order in which they report does not matter, and a
 * gate never passes by the luck of it.
 */
export function prevailing(a: Charge | undefined, b: Charge): Charge {
  if (a === undefined || a.pico === undefined) return b.pico === undefined && a !== undefined ? a : b;
  if (b.pico === undefined) return a;
  if (a.estimated !== b.estimated) return a.estimated ? b : a;
  return b.pico > a.pico ? b : a;
}
