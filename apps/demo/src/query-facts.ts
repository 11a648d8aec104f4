import type { Complexity } from '@synapsekit/router';
import { inShort } from './describe-error.ts';
import type { Answer } from './pipeline.ts';

/** What one query came to, as plain data. */
export interface QueryFacts {
  readonly query: string;
  readonly complexity: Complexity;
  readonly servedBy: string;
  readonly passedOver: readonly { readonly id: string; readonly reason: string }[];
  readonly answer: string;
  readonly costUsd: number;
}

/** An answer as plain data. */
export function queryFacts(query: string, { text, route, costUsd }: Answer): QueryFacts {
  const { complexity, servedBy, failures } = route;
  const passedOver = failures.map(({ id, error }) => ({ id, reason: inShort(error) }));
  return { query, complexity, servedBy, passedOver, answer: text, costUsd };
}
