import type { LLM } from '@synapsekit/core';
import type { Decision } from '../policy/route-desk.ts';
import type { RouteCandidate } from '../policy/route-policy.ts';

/** A tier with the models of it that the decision left in. */
export interface Rung {
  /** Index in the cascade's tiers. */
  readonly tier: number;
  readonly models: readonly LLM[];
  /** True when a policy keeps all of them back: asked only if nothing else is of use. */
  readonly deferred: boolean;
}

/** The tiers to climb, from where the decision begins: nobody goes down again. */
export function ladderOf(decision: Decision): readonly Rung[] {
  const { candidates, record } = decision;
  const deferredIds = new Set(
    record.candidates
      .filter(({ notes }) => notes.some(({ action }) => action === 'deferred'))
      .map(({ id }) => id),
  );
  const byTier = Map.groupBy(candidates, ({ tier = 0 }) => tier);
  const rungs = [...byTier].map(([tier, members]): Rung => {
    const isDeferred = ({ llm }: RouteCandidate): boolean => deferredIds.has(llm.id);
    const free = members.filter((member) => !isDeferred(member));
    // Deferred models stay behind the free ones of their tier.
    const models = [...free, ...members.filter(isDeferred)].map(({ llm }) => llm);
    return { tier, models, deferred: free.length === 0 };
  });
  const sorted = rungs.toSorted((a, b) => a.tier - b.tier);
  const start = candidates[0]?.tier ?? 0;
  const above = sorted.filter(({ tier }) => tier >= start);
  // Those below where it begins can still help out when everything above is down.
  return [...above, ...sorted.filter(({ tier }) => tier < start).toReversed()];
}
