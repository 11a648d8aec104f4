import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Skipped } from './harness/bench.ts';
import { RedisPipe } from './redis-pipe.ts';

/** The program: `redis-server`, or another that is to be measured (`valkey-server`). */
const program = process.env.SYNAPSEKIT_REDIS_SERVER ?? 'redis-server';

/** A server of the bench's own, on a free port. */
export interface BenchServer {
  readonly url: string;
  /** One connection, pipelined by hand. */
  connect(): Promise<RedisPipe>;
  stop(): Promise<void>;
}

/**
 * Starts one that keeps nothing on disk unless `options` say so.
 *
 * @throws Skipped where there is none to start.
 */
export async function startRedis(...options: readonly string[]): Promise<BenchServer> {
  if (spawnSync(program, ['--version']).status !== 0) {
    throw new Skipped(`no ${program} here (Debian: apt-get install redis-server)`);
  }
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'bench-redis-'));
  const words = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', ...options];
  const child = spawn(program, words, { stdio: 'ignore' });
  const kill = (): unknown => child.kill('SIGKILL');
  process.once('exit', kill);
  for (;;) {
    if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}.`);
    try {
      (await RedisPipe.connect(port)).close();
      break;
    } catch {
      await sleep(10);
    }
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    connect: () => RedisPipe.connect(port),
    async stop() {
      process.off('exit', kill);
      kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
