import { randomUUID } from 'node:crypto';

/** A source of random numbers in [0, 1). Injected wherever chance decides (jitter, sampling). */
export type Random = () => number;

/** `Math.random`. */
export const systemRandom: Random = () => Math.random();

/** Mints ids that never repeat. Injected so that tests and fixtures are stable. */
export type IdSource = () => string;

/** Random UUIDs (version 4). */
export const systemIds: IdSource = () => randomUUID();
