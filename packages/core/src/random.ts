/** A source of random numbers in [0, 1). Injected wherever chance decides (jitter, sampling). */
export type Random = () => number;

/** `Math.random`. */
export const systemRandom: Random = () => Math.random();

/** Mints ids that never repeat. Injected so that tests and fixtures are stable. */
export type IdSource = () => string;

let randomUUID: IdSource | undefined;

/** Random UUIDs (version 4). `node:crypto` takes milliseconds to load: not before the first id. */
export const systemIds: IdSource = () => {
  randomUUID ??= process.getBuiltinModule('node:crypto').randomUUID as IdSource;
  return randomUUID();
};
