/**
 * A client of the official `redis` package (v5 and later): of one server, a pool, a sentinel, or a cluster. Only what is
 * used of it, so that any version and any replacement fits.
 */
export interface NodeRedisClient {
  evalSha(sha: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  eval(source: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
}

/** A client of the `ioredis` package: of one server, or a cluster. Only what is used of it. */
export interface IoRedisClient {
  evalsha(sha: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>;
  eval(source: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>;
}

/** The connection to Redis or Valkey: yours, connected and closed by you, shared with whatever else uses it. */
export type RedisClient = NodeRedisClient | IoRedisClient;

/** Runs scripts on whichever client it is. */
export interface ScriptRunner {
  bySha(sha: string, keys: string[], args: string[]): Promise<unknown>;
  bySource(source: string, keys: string[], args: string[]): Promise<unknown>;
}

/** `undefined` for what is no client. */
export function scriptRunner(client: RedisClient): ScriptRunner | undefined {
  if (typeof client !== 'object' || client === null || typeof client.eval !== 'function') return undefined;
  if ('evalSha' in client && typeof client.evalSha === 'function') {
    return {
      bySha: (sha, keys, args) => client.evalSha(sha, { keys, arguments: args }),
      bySource: (source, keys, args) => client.eval(source, { keys, arguments: args }),
    };
  }
  if ('evalsha' in client && typeof client.evalsha === 'function') {
    return {
      bySha: (sha, keys, args) => client.evalsha(sha, keys.length, ...keys, ...args),
      bySource: (source, keys, args) => client.eval(source, keys.length, ...keys, ...args),
    };
  }
  return undefined;
}
