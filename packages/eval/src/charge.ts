import { type CostRecord, type PicoUsd, parseUsd } from '@synapsekit/core';

/** What is kept of a cost record. */
export interface Charge {
  readonly attemptId: string;
  /** Name of the model for people. */
  readonly model: string;
  /** What it cost; `undefined` when nobody knows: the record has no price, or cannot be read. */
  readonly pico: PicoUsd | undefined;
  /** True when the tokens were estimated. */
  readonly estimated: boolean;
}

/**
 * Reads a message of the `synapsekit:cost` channel. It may come from another installed copy of SynapseKit, so what
 * cannot be understood becomes a charge of unknown cost: never zero, and never an exception in the publisher.
 */
export function readCharge(message: unknown): Charge | undefined {
  try {
    const { version, attemptId, modelId, costUsdExact, unpriced, estimated } = message as CostRecord;
    if (typeof attemptId !== 'string') return undefined;
    const pico = version === 1 && !unpriced ? readUsd(costUsdExact) : undefined;
    return { attemptId, model: String(modelId), pico, estimated: estimated === true };
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
