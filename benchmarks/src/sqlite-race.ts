import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { SqliteDurability } from '@synapsekit/store-sqlite';

/** Processes that want the same file. */
export interface Race {
  readonly path: string;
  readonly durability: SqliteDurability;
  readonly processes: number;
  /** Pairs in flight in each process. */
  readonly atOnce: number;
  readonly forMs: number;
}

/** What one process did. */
export interface Ran {
  readonly pairs: number;
  readonly longestMs: number;
}

/** How it went: pairs of all, the slowest against the fastest, and the longest that anybody waited. */
export async function raceOnSqlite(
  race: Race,
): Promise<{ readonly pairs: number; readonly fairness: number; readonly longestMs: number }> {
  const children = Array.from({ length: race.processes }, () =>
    fork(join(import.meta.dirname, 'sqlite-process.ts'), [JSON.stringify(race)], {
      execArgv: ['--no-warnings'],
    }),
  );
  try {
    await Promise.all(children.map((child) => once(child, 'message')));
    const running = children.map(async (child) => ((await once(child, 'message')) as [Ran])[0]);
    for (const child of children) child.send('go');
    const ran = await Promise.all(running);
    const pairs = ran.map((one) => one.pairs);
    return {
      pairs: pairs.reduce((sum, count) => sum + count, 0),
      fairness: Math.min(...pairs) / Math.max(...pairs),
      longestMs: Math.max(...ran.map(({ longestMs }) => longestMs)),
    };
  } finally {
    await Promise.all(children.map((child) => (child.exitCode === null ? once(child, 'exit') : undefined)));
  }
}
