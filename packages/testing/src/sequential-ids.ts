import type { IdSource } from '@synapsekit/core';

/** Ids that count up, `"attempt-1"`, `"attempt-2"`…: stable names for tests and fixtures. */
export function sequentialIds(prefix = 'id'): IdSource {
  let count = 0;
  return () => {
    count += 1;
    return `${prefix}-${count}`;
  };
}
