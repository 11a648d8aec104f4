import { type CallOptions, ConfigError, type Prompt, requireNumber } from '@synapsekit/core';
import type { CandidateNote, DecidedCandidate, RouteDecision } from './route-decision.ts';
import type { RouteCandidate, RouteDraft } from './route-policy.ts';

/** Sorts candidates, best first, by figures that include all charges. */
export type RankCandidates = (
  candidates: readonly RouteCandidate[],
  qualityPerUsd: number,
) => readonly RouteCandidate[];

/** What a draft is made of. */
export interface DraftStart {
  readonly id: string;
  readonly router: string;
  readonly atMs: number;
  readonly prompt: Prompt;
  readonly options: CallOptions;
  readonly candidates: readonly RouteCandidate[];
  readonly qualityPerUsd: number | undefined;
  readonly rank: RankCandidates;
}

interface Entry {
  readonly candidate: RouteCandidate;
  readonly notes: CandidateNote[];
  costUsd: number | undefined;
  excluded: boolean;
  deferred: boolean;
}

/** A decision in the making, as the desk sees it. `policy` is set to whoever is speaking. */
export class Draft implements RouteDraft {
  policy = '';
  readonly #start: DraftStart;
  readonly #entries = new Map<RouteCandidate, Entry>();
  readonly #priceNotes: RouteDecision['priceNotes'][number][] = [];
  #preferred: Entry | undefined;
  #qualityPerUsd: number;

  constructor(start: DraftStart) {
    this.#start = start;
    this.#qualityPerUsd = start.qualityPerUsd ?? 0;
    for (const candidate of start.candidates) {
      this.#entries.set(candidate, {
        candidate,
        notes: [],
        costUsd: candidate.costUsd,
        excluded: false,
        deferred: false,
      });
    }
  }

  get id(): string {
    return this.#start.id;
  }

  get router(): string {
    return this.#start.router;
  }

  get prompt(): Prompt {
    return this.#start.prompt;
  }

  get options(): CallOptions {
    return this.#start.options;
  }

  get qualityPerUsd(): number {
    return this.#qualityPerUsd;
  }

  get candidates(): readonly RouteCandidate[] {
    const entries = [...this.#entries.values()].filter(({ excluded }) => !excluded);
    const ranked = [
      ...this.#ranked(entries.filter(({ deferred }) => !deferred)),
      ...this.#ranked(entries.filter(({ deferred }) => deferred)),
    ];
    const first = this.#preferred;
    if (first === undefined || first.excluded || first.deferred) return ranked;
    return [first.candidate, ...ranked.filter((candidate) => candidate !== first.candidate)];
  }

  isDeferred(candidate: RouteCandidate): boolean {
    return this.#entry(candidate).deferred;
  }

  exclude(candidate: RouteCandidate, reason: string): void {
    const entry = this.#entry(candidate);
    entry.excluded = true;
    this.#note(entry, 'excluded', reason);
  }

  defer(candidate: RouteCandidate, reason: string): void {
    const entry = this.#entry(candidate);
    entry.deferred = true;
    this.#note(entry, 'deferred', reason);
  }

  prefer(candidate: RouteCandidate, reason: string): void {
    const entry = this.#entry(candidate);
    this.#preferred = entry;
    this.#note(entry, 'preferred', reason);
  }

  charge(candidate: RouteCandidate, costUsd: number, reason: string): void {
    const entry = this.#entry(candidate);
    requireNumber(costUsd, `costUsd of a charge by ${this.policy}`);
    // A candidate whose cost nobody knows stays unknown: a charge alone is not what it costs.
    if (entry.costUsd !== undefined) entry.costUsd += costUsd;
    entry.notes.push({ policy: this.policy, action: 'charged', reason, costUsd });
  }

  raisePrice(qualityPerUsd: number, reason: string): void {
    requireNumber(qualityPerUsd, `qualityPerUsd of ${this.policy}`, { min: 0 });
    this.#qualityPerUsd += qualityPerUsd;
    this.#priceNotes.push({ policy: this.policy, qualityPerUsd, reason });
  }

  /** Who is asked, in order: reserves only where they are preferred, or nobody else is left who is not deferred. */
  plan(): readonly RouteCandidate[] {
    const { candidates } = this;
    const alive = candidates.some((candidate) => candidate.reserve !== true && !this.isDeferred(candidate));
    if (!alive) return candidates;
    const first = this.#preferred?.candidate;
    return candidates.filter((candidate) => candidate.reserve !== true || candidate === first);
  }

  /** Every reason against every candidate that is out. */
  refusals(): readonly { readonly id: string; readonly policy: string; readonly reason: string }[] {
    return [...this.#entries.values()].flatMap(({ candidate, notes }) =>
      notes
        .filter(({ action }) => action === 'excluded')
        .map(({ policy, reason }) => ({ id: candidate.llm.id, policy, reason })),
    );
  }

  /** The decision as it stands. */
  record(plan: readonly RouteCandidate[]): RouteDecision {
    const out = [...this.#entries.values()].filter(({ candidate }) => !plan.includes(candidate));
    const decided = [
      ...plan.map((candidate, index) => this.#decided(this.#entry(candidate), index + 1)),
      ...out.map((entry) => this.#decided(entry)),
    ];
    const predicted = this.#start.qualityPerUsd !== undefined || this.#priceNotes.length > 0;
    return {
      version: 1,
      id: this.id,
      router: this.router,
      atMs: this.#start.atMs,
      ...(predicted && { qualityPerUsd: this.#qualityPerUsd }),
      priceNotes: this.#priceNotes,
      planned: plan.map(({ llm }) => llm.id),
      candidates: decided,
    };
  }

  #decided({ candidate, notes, costUsd }: Entry, place?: number): DecidedCandidate {
    const { llm, quality } = candidate;
    return {
      id: llm.id,
      ...(place !== undefined && { place }),
      ...(quality !== undefined && { quality }),
      ...(costUsd !== undefined && { costUsd }),
      notes,
    };
  }

  #ranked(entries: readonly Entry[]): readonly RouteCandidate[] {
    if (entries.length < 2) return entries.map(({ candidate }) => candidate);
    // The rule sees costs with their charges; what it gives back are its own copies.
    const own = new Map<RouteCandidate, RouteCandidate>(
      entries.map(({ candidate, costUsd }) => [{ ...candidate, costUsd }, candidate]),
    );
    const ranked = this.#start.rank([...own.keys()], this.#qualityPerUsd);
    const placed = ranked.map((copy) => own.get(copy)).filter((candidate) => candidate !== undefined);
    const rest = [...own.values()].filter((candidate) => !placed.includes(candidate));
    return [...placed, ...rest];
  }

  #note(entry: Entry, action: CandidateNote['action'], reason: string): void {
    entry.notes.push({ policy: this.policy, action, reason });
  }

  #entry(candidate: RouteCandidate): Entry {
    const entry = this.#entries.get(candidate);
    if (entry !== undefined) return entry;
    throw new ConfigError(`The policy "${this.policy}" names a model that is no candidate of this call.`, {
      option: 'policies',
    });
  }
}

/**
 * Best first by quality less the price of its cost. Where a quality is missing, or a price of money is to count and a
 * cost is missing, the given order stands.
 */
export const rankByValue: RankCandidates = (candidates, qualityPerUsd) => {
  const values = new Map<RouteCandidate, number>();
  for (const candidate of candidates) {
    const { quality, costUsd } = candidate;
    if (quality === undefined || (costUsd === undefined && qualityPerUsd > 0)) return candidates;
    values.set(candidate, quality - qualityPerUsd * (costUsd ?? 0));
  }
  return candidates.toSorted((a, b) => (values.get(b) ?? 0) - (values.get(a) ?? 0));
};
