import { describe, test } from 'vitest';
import { redisIsAtHand, redisProgram } from './redis-process.ts';

export { freePort, RedisServer } from './redis-process.ts';

/** Tests that need a server: skipped loudly where there is none, failed in CI. */
export function describeWithRedis(name: string, body: () => void): void {
  if (redisIsAtHand) {
    describe(name, body);
    return;
  }
  const what = `${redisProgram} is not installed: nothing of "${name}" was tested.`;
  describe(name, () => {
    test('needs a Redis server', ({ skip }) => {
      if (process.env.CI) throw new Error(`${what} In CI it has to be.`);
      process.stderr.write(`\n!!! ${what} Install it (Debian: apt-get install redis-server).\n`);
      skip(what);
    });
  });
}
