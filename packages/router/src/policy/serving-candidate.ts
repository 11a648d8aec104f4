import type { Generation, LLM } from '@synapsekit/core';
import type { RouteCandidate } from './route-policy.ts';

/** The candidate that served, or the chain or router that did it for one. */
export function servingCandidate(
  { servedBy }: Generation,
  candidates: readonly RouteCandidate[],
): RouteCandidate | undefined {
  return candidateOf(servedBy, candidates);
}

/** The candidate that asked the model of this id: itself, or one that it stands for. */
export function candidateOf(id: string, candidates: readonly RouteCandidate[]): RouteCandidate | undefined {
  const leaves = ({ llm }: RouteCandidate): readonly LLM[] => llm.candidates?.() ?? [];
  return (
    candidates.find(({ llm }) => llm.id === id) ??
    candidates.find((candidate) => leaves(candidate).some((leaf) => leaf.id === id))
  );
}
