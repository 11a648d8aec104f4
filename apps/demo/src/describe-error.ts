import { isSynapseError } from '@synapsekit/core';

/** Why a model was passed over, in a few words. */
export function inShort(error: unknown): string {
  if (isSynapseError(error, 'provider')) return `${error.status ?? error.kind}`;
  if (isSynapseError(error, 'circuit-open')) return 'circuit open';
  if (isSynapseError(error, 'budget-exceeded')) return `over the ${error.limit} limit`;
  if (isSynapseError(error, 'timeout')) return `no answer in ${error.timeoutMs} ms`;
  return isSynapseError(error) ? error.code : error instanceof Error ? error.name : 'an unknown error';
}
