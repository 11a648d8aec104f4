import type { Generation, LLM } from '@synapsekit/core';
import type { RouteCandidate } from './route-policy.ts';

/** The candidate that served, or the chain or router that did it for one. */
export function servingCandidate(
  { servedBy }: Generation,
  candidates: readonly RouteCandidate[],
): RouteCandidate | undefined {
  const leaves = ({ llm }: RouteCandidate): readonly LLM[] => llm.candidates?.() ?? [];
  return (
    candidates.find(({ llm }) => llm.id === servedBy) ??
    candidates.find((candidate) => leaves(candidate).some(({ id }) => id === servedBy))
  );
}
