import { createHash } from 'node:crypto';
import type { RouterModelJson } from './router-model.ts';

/**
 * What tells one trained model from another: a SHA-256 of all that it was trained to, its calibration left out. The same
 * for a file that somebody has formatted, or whose keys stand in another order.
 */
export function modelFingerprint({ calibration: _, ...model }: RouterModelJson): string {
  return createHash('sha256')
    .update(JSON.stringify(inOrder(model)))
    .digest('hex');
}

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, inOrder(inner)]),
  );
}
