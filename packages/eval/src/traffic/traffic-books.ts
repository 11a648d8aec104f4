import { type PicoUsd, usdDecimal } from '@synapsekit/core';
import type { TrafficContext, TrafficReport, TrafficStop } from '../traffic-control.ts';

/** What happened under one trial, or in the whole run. */
export class TrafficBook {
  requests = 0;
  replayed = 0;
  recorded = 0;
  billedPico: PicoUsd = 0n;
  /** Requests that cost something nobody knows. */
  unknown = 0;
  stop: TrafficStop | undefined;
  /** Ends what is still out. */
  readonly open: Set<() => void> = new Set();

  report(): TrafficReport {
    const { requests, replayed, recorded, billedPico, unknown, stop } = this;
    return {
      billedUsd: usdDecimal(billedPico),
      requests,
      replayed,
      recorded,
      ...(unknown > 0 && { unknownCost: unknown }),
      ...(stop !== undefined && { stop }),
    };
  }
}

/** The books of a run: one for each trial that runs, and one for all of it. */
export class TrafficBooks {
  readonly total: TrafficBook = new TrafficBook();
  readonly #trials: Map<string, TrafficBook> = new Map();

  of(context: TrafficContext): TrafficBook {
    const id = trialOf(context);
    const book = this.#trials.get(id) ?? new TrafficBook();
    this.#trials.set(id, book);
    return book;
  }

  /** The book of a trial that is over, if it had any traffic. */
  take(context: TrafficContext): TrafficBook | undefined {
    const id = trialOf(context);
    const book = this.#trials.get(id);
    this.#trials.delete(id);
    return book;
  }
}

function trialOf({ file = '', suite = '', name, trial, role }: TrafficContext): string {
  // Loading a file is not what judges its suite; a case and its judges are one.
  return JSON.stringify([file, suite, name ?? [role], trial]);
}
