import type { ReserveResult } from '@synapsekit/core';
import { type LeasedLedger, type NodeRedisClient, RedisLedger } from '@synapsekit/store-redis';
import { createClient } from 'redis';
import { requestsOver } from './ledger-requests.ts';
import { command, type RedisPipe } from './redis-pipe.ts';
import { type BenchServer, startRedis } from './redis-server.ts';

const leaseMs = 60_000;

/** Which time of the server counts. */
export type ServerTime = 'processor time' | 'wall time' | 'script time';

/** What a ledger sends, to be sent again without a client; and the same words to a script that does nothing. */
interface Recording {
  readonly commands: string[];
  readonly idle: string[];
  /** The least that can be asked of the same counters: whether they are there. */
  readonly looks: string[];
}

/** A ledger that takes part. */
export type Ledger = RedisLedger | LeasedLedger;

let runs = 0;

/** Reservations and posts over 4 of so many keys, with ids that nobody else uses. */
export class Pairs {
  readonly #run = runs++;
  readonly #requests: ReturnType<typeof requestsOver>;
  #serial = 0;

  constructor(keys: number) {
    this.#requests = requestsOver(keys);
  }

  async reserve(ledger: Ledger, index: number): Promise<void> {
    const holdId = `hold-${this.#run}-${index}`;
    const lines = this.#requests.at(index);
    const result: ReserveResult = await ledger.reserve({ holdId, lines, leaseMs, onExpiry: 'book' });
    if (!result.admitted) throw new Error('The ledger refused.');
  }

  async post(ledger: Ledger, index: number): Promise<void> {
    const [attemptId, holdId] = [`attempt-${this.#run}-${index}`, `hold-${this.#run}-${index}`];
    await ledger.post({ attemptId, holdId, lines: this.#requests.at(index), kind: 'actual', close: true });
  }

  /** The next pair, one after the other. */
  async next(ledger: Ledger): Promise<void> {
    const index = this.#serial++;
    await this.reserve(ledger, index);
    await this.post(ledger, index);
  }
}

/** A client of the official package, as much of it as is used here. */
interface Client extends NodeRedisClient {
  dbSize(): Promise<number>;
}

/** A server of the bench's own, with a client of the official package and a connection without one. */
export class RedisPlace {
  readonly url: string;
  readonly client: Client;
  readonly pipe: RedisPipe;
  readonly ledger: RedisLedger;
  /** The script that does nothing, by its hash. */
  readonly nothing: string;
  readonly #recorder: RedisLedger;
  readonly #stop: () => Promise<void>;
  #recording: Recording = { commands: [], idle: [], looks: [] };

  private constructor(
    server: BenchServer,
    client: Client,
    pipe: RedisPipe,
    nothing: string,
    stop: () => Promise<void>,
  ) {
    this.url = server.url;
    this.client = client;
    this.pipe = pipe;
    this.nothing = nothing;
    this.ledger = new RedisLedger(client);
    this.#stop = stop;
    const noting: NodeRedisClient = {
      evalSha: (sha, words) => {
        const rest = [String(words.keys.length), ...words.keys, ...words.arguments];
        this.#recording.commands.push(command('EVALSHA', sha, ...rest));
        this.#recording.idle.push(command('EVALSHA', nothing, ...rest));
        this.#recording.looks.push(command('EXISTS', ...words.keys.filter((key) => key.includes('}:c:'))));
        return client.evalSha(sha, words);
      },
      eval: (source, words) => client.eval(source, words),
    };
    this.#recorder = new RedisLedger(noting);
  }

  /** @throws Skipped where there is no server to start. */
  static async open(...options: readonly string[]): Promise<RedisPlace> {
    const server = await startRedis(...options);
    const client = createClient({ url: server.url });
    try {
      await client.connect();
      const pipe = await server.connect();
      const nothing = await client.scriptLoad('return 1');
      return new RedisPlace(server, client, pipe, nothing, async () => {
        pipe.close();
        client.destroy();
        await server.stop();
      });
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  /** What so many reservations over so many keys, and their posts, look like on the wire. Leaves them done. */
  async record(keys: number, count: number): Promise<{ reserved: Recording; posted: Recording }> {
    const pairs = new Pairs(keys);
    // The first of each brings its script, and is sent twice therefore.
    await pairs.reserve(this.#recorder, -1);
    await pairs.post(this.#recorder, -1);
    this.#take();
    for (let index = 0; index < count; index++) await pairs.reserve(this.#recorder, index);
    const reserved = this.#take();
    for (let index = 0; index < count; index++) await pairs.post(this.#recorder, index);
    return { reserved, posted: this.#take() };
  }

  /** Nanoseconds of the server per command. */
  async cost(commands: readonly string[], by: ServerTime): Promise<number> {
    const before = await this.pipe.work();
    const startMs = performance.now();
    await this.pipe.send(commands);
    const tookMs = performance.now() - startMs;
    if (by === 'wall time') return (tookMs * 1e6) / commands.length;
    const after = await this.pipe.work();
    const tookUs = by === 'processor time' ? after.cpuUs - before.cpuUs : after.scriptUs - before.scriptUs;
    return (tookUs * 1e3) / commands.length;
  }

  async close(): Promise<void> {
    await this.#stop();
  }

  #take(): Recording {
    const taken = this.#recording;
    this.#recording = { commands: [], idle: [], looks: [] };
    return taken;
  }
}
