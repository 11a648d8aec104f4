import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** The program: `redis-server`, or another that is to be tested (`valkey-server`). */
export const redisProgram: string = process.env.SYNAPSEKIT_REDIS_SERVER ?? 'redis-server';

const version = spawnSync(redisProgram, ['--version'], { encoding: 'utf8' });
/** Whether there is one on this machine. */
export const redisIsAtHand: boolean = version.status === 0;

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** No server outlives the tests. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const each of running) each.kill('SIGKILL');
});

/** A Redis server of our own, on a free port, that can be killed and started again. */
export class RedisServer {
  readonly port: number;
  readonly #folder = mkdtempSync(join(tmpdir(), 'synapsekit-redis-'));
  readonly #options: readonly string[];
  #process: ChildProcess | undefined;

  private constructor(port: number, options: readonly string[]) {
    this.port = port;
    this.#options = options;
  }

  /** @param options more words for its command line, such as `--appendonly yes`. */
  static async start(...options: readonly string[]): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), options);
    await server.start();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const words = ['--port', this.port, '--bind', '127.0.0.1', '--dir', this.#folder, '--save', ''].map(
      String,
    );
    const started = spawn(redisProgram, [...words, ...this.#options], { stdio: 'ignore' });
    this.#process = started;
    running.add(started);
    while (!(await this.#answers())) {
      if (started.exitCode !== null) throw new Error(`${redisProgram} ended with ${started.exitCode}`);
      await sleep(10);
    }
  }

  /** As a crash would: nothing is saved that was not saved before. */
  async kill(): Promise<void> {
    const started = this.#process;
    this.#process = undefined;
    if (started === undefined) return;
    started.kill('SIGKILL');
    if (started.exitCode === null && started.signalCode === null) await once(started, 'exit');
    running.delete(started);
  }

  /** Stops answering without closing anything, as a dead network would; until `resume`. */
  pause(): void {
    this.#process?.kill('SIGSTOP');
  }

  resume(): void {
    this.#process?.kill('SIGCONT');
  }

  async dispose(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Whether it takes commands: not while it still reads its files. */
  async #answers(): Promise<boolean> {
    const socket = connect(this.port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      socket.write('EXISTS x\r\n');
      const [reply] = (await once(socket, 'data')) as [Buffer];
      return reply.toString().startsWith(':');
    } catch {
      return false;
    } finally {
      socket.destroy();
    }
  }
}
