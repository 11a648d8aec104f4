import {
  ConfigError,
  type CrossedMark,
  type InspectableLedger,
  type LedgerCounter,
  type LedgerHold,
  type LedgerKey,
  type LedgerQuery,
  type LedgerStatus,
  type PicoUsd,
  type PostRequest,
  type ReserveLine,
  type ReserveRequest,
  type ReserveResult,
} from '@synapsekit/core';
import { amountText, leaseText, limitText, marksText } from './figures.ts';
import { HashTags } from './hash-tags.ts';
import { counterName, parseCounter, plainText, windowShape } from './key-names.ts';
import { closeScript, renewScript } from './lua/hold-end.ts';
import { countersScript, holdsScript, resetScript, statusScript } from './lua/inspect.ts';
import { postScript } from './lua/post.ts';
import { reserveScript } from './lua/reserve.ts';
import type { Script } from './lua/script.ts';
import { type RedisClient, scriptRunner } from './redis-client.ts';
import { conflict } from './redis-errors.ts';
import {
  checkRedisLedgerOptions,
  type RedisLedgerOptions,
  type RedisLedgerSettings,
} from './redis-ledger-options.ts';
import { ScriptCaller } from './script-caller.ts';
import { checkServer } from './server-check.ts';

const admitted: ReserveResult = Object.freeze({ admitted: true });
const noMarks: readonly CrossedMark[] = Object.freeze([]);

/** The most lines of one request. */
const maxLines = 1_000;

/**
 * The ledger of many processes and machines, on Redis or Valkey, 6.2 or later. Every operation is one script, which the
 * server carries out at once and as a whole: one round trip for `reserve`, one for `post` with `close`. Figures are
 * exact to the last pico-dollar; leases and rolling windows go by the server's time.
 *
 * The client is yours: connect it before, close it after. Where Redis does not answer in time, or is away, operations
 * throw a transient `LedgerError`; what was sent may still be carried out, and repeating it counts once.
 */
export class RedisLedger implements InspectableLedger {
  readonly unitPico: PicoUsd = 1n;
  readonly #settings: RedisLedgerSettings;
  readonly #caller: ScriptCaller;
  readonly #tags: HashTags;
  /** What each script is given first, while the time has no offset. */
  readonly #times: readonly string[];
  #isChecked = false;

  /**
   * @param client of the `redis` package (v5 or later) or of `ioredis`: of one server or of a cluster.
   * @throws ConfigError for something else, an unknown option or a value out of range.
   */
  constructor(client: RedisClient, options: RedisLedgerOptions = {}) {
    const settings = checkRedisLedgerOptions(options);
    const runner = scriptRunner(client);
    if (runner === undefined) {
      throw new ConfigError(
        'RedisLedger takes a client of the `redis` package (`createClient()`) or of `ioredis` (`new Redis()`).',
        { option: 'client' },
      );
    }
    this.#settings = settings;
    this.#caller = new ScriptCaller(runner, settings.clock, settings.timeoutMs);
    this.#tags = new HashTags(settings.hashTag);
    this.#times = [String(settings.rememberMs), String(settings.graceMs)];
  }

  async reserve({ holdId, lines, leaseMs, onExpiry }: ReserveRequest): Promise<ReserveResult> {
    const tag = this.#tags.ofHold(holdId, lines);
    const keys = this.#keys(tag, `h:${plainText(holdId, 'hold id')}`);
    const args = this.#args(leaseText(leaseMs), onExpiry === 'book' ? 'b' : 'r');
    const { names, amounts, asked } = this.#addLines(
      tag,
      lines,
      keys,
      (amount) => `${amount} ${amount} 0 `,
      ({ limit, window }) => [limitText(limit), windowShape(window)],
    );
    args.push(names + amounts, ...asked);
    for (;;) {
      const reply = await this.#call(reserveScript, keys, args);
      if (!Array.isArray(reply)) return admitted;
      const [code, index, committed, held] = reply;
      if (Number(code) === 2) throw conflict(`hold ${holdId} was placed on other keys or windows`);
      if (Number(code) === 3) throw conflict(`hold ${holdId} is closed or has expired`);
      if (Number(code) === 4) continue; // there is more to sweep
      const { key, window, limit, amount } = lines[Number(index) - 1] as ReserveLine;
      return {
        admitted: false,
        refused: { key, window, limit, amount, committed: BigInt(committed), held: BigInt(held) },
      };
    }
  }

  async post({
    attemptId,
    holdId,
    lines,
    kind,
    close = false,
  }: PostRequest): Promise<readonly CrossedMark[]> {
    const tag = holdId === undefined ? this.#tags.of(lines) : this.#tags.ofHold(holdId, lines);
    const attempt = `a:${plainText(attemptId, 'attempt id')}`;
    const keys = this.#keys(
      tag,
      attempt,
      holdId === undefined ? attempt : `h:${plainText(holdId, 'hold id')}`,
    );
    const args = this.#args(kind === 'actual' ? 'a' : 'e', holdId === undefined ? '' : close ? 'hc' : 'h');
    const { names, amounts, asked } = this.#addLines(
      tag,
      lines,
      keys,
      (amount) => `${args[3]} ${amount} 0 `,
      ({ window, marks }) => [windowShape(window), marks === undefined ? '' : marksText(marks)],
    );
    args.push(names, amounts, ...asked);
    const reply = await this.#call(postScript, keys, args);
    if (close && holdId !== undefined) this.#tags.forget(holdId);
    if (!Array.isArray(reply)) return noMarks;
    const crossed: CrossedMark[] = [];
    for (let at = 0; at < reply.length; at += 3) {
      const { key, window } = lines[Number(reply[at]) - 1] as LedgerKey;
      crossed.push({ key, window, mark: BigInt(reply[at + 1]), committed: BigInt(reply[at + 2]) });
    }
    return crossed;
  }

  async close(holdId: string): Promise<void> {
    const keys = this.#keys(this.#tags.ofKnownHold(holdId), `h:${plainText(holdId, 'hold id')}`);
    await this.#call(closeScript, keys, this.#args());
    this.#tags.forget(holdId);
  }

  async renew(holdId: string, leaseMs: number): Promise<boolean> {
    const keys = this.#keys(this.#tags.ofKnownHold(holdId), `h:${plainText(holdId, 'hold id')}`);
    return Number(await this.#call(renewScript, keys, this.#args(leaseText(leaseMs)))) === 1;
  }

  async status(asked: readonly LedgerKey[]): Promise<readonly LedgerStatus[]> {
    const groups = Map.groupBy(asked.keys(), (index) => this.#tags.of(asked.slice(index, index + 1)));
    const statuses: LedgerStatus[] = [];
    await Promise.all(
      [...groups].map(async ([tag, indexes]) => {
        const keys = this.#keys(tag, ...indexes.map((index) => counterName(asked[index] as LedgerKey)));
        const [, ...figures] = await this.#swept(keys);
        for (const [at, index] of indexes.entries()) {
          const { key, window } = asked[index] as LedgerKey;
          const [committed = 0, held = 0] = figures.slice(2 * at, 2 * at + 2);
          statuses[index] = { key, window, committed: BigInt(committed), held: BigInt(held) };
        }
      }),
    );
    return statuses;
  }

  /** Looks at every key of the server, a thousand at a time. With a function for `hashTag`: of the names it knows. */
  async counters({ prefix = '', maxCount = 1_000 }: LedgerQuery = {}): Promise<readonly LedgerCounter[]> {
    const found = new Map<string, LedgerCounter>();
    for (const tag of this.#tags.all()) {
      const keys = this.#keys(tag);
      await this.#swept(keys);
      let cursor = '0';
      do {
        const reply = (await this.#call(countersScript, keys, this.#args(cursor))) as unknown[];
        cursor = String(reply[0]);
        for (let at = 1; at < reply.length; at += 5) {
          const [name, committed, held, limit, shape] = reply.slice(at, at + 5).map(String) as FiveTexts;
          const counter = parseCounter(name, shape);
          if (!counter.key.startsWith(prefix)) continue;
          found.set(`${tag} ${name}`, {
            ...counter,
            committed: BigInt(committed),
            held: BigInt(held),
            ...(limit !== '-' && { limit: BigInt(limit) }),
          });
        }
      } while (cursor !== '0');
    }
    return [...found.values()].sort(byKeyAndWindow).slice(0, maxCount);
  }

  /** With a function for `hashTag`: of the names it knows. */
  async holds({ prefix = '', maxCount = 1_000 }: LedgerQuery = {}): Promise<readonly LedgerHold[]> {
    const found = new Map<string, LedgerHold>();
    for (const tag of this.#tags.all()) {
      const keys = this.#keys(tag);
      await this.#swept(keys);
      let count = 0;
      for (let from = 0; count < maxCount; from += 100) {
        const rows = (await this.#call(
          holdsScript,
          keys,
          this.#args(String(from), String(from + 99)),
        )) as string[][];
        for (const row of rows) {
          const hold = parseHold(row);
          if (!hold.lines.some(({ key }) => key.startsWith(prefix))) continue;
          found.set(`${tag} ${hold.holdId}`, hold);
          count += 1;
        }
        if (rows.length < 100) break;
      }
    }
    return [...found.values()].sort((a, b) => a.leaseLeftMs - b.leaseLeftMs).slice(0, maxCount);
  }

  async reset(key: LedgerKey): Promise<void> {
    await this.#call(resetScript, this.#keys(this.#tags.of([key]), counterName(key)), this.#args());
  }

  /**
   * Nothing to wait for: what was acknowledged is in the server, and as durable as its own persistence makes it (with
   * `appendfsync everysec` the last second can be lost when the server dies, with `always` nothing).
   */
  flush(): void {}

  /** The client is yours: it stays open. */
  dispose(): void {}

  /** Sweeps until no lease is over that was not swept, and reads counters. */
  async #swept(keys: string[]): Promise<(string | number)[]> {
    for (;;) {
      const reply = (await this.#call(statusScript, keys, this.#args())) as (string | number)[];
      if (Number(reply[0]) === 0) return reply;
    }
  }

  #keys(tag: string, ...names: readonly string[]): string[] {
    const base = `${this.#settings.keyPrefix}{${tag}}:`;
    return [`${base}z`, ...names.map((name) => base + name)];
  }

  #args(...args: readonly string[]): string[] {
    return [String(Math.floor(this.#settings.testTimeOffsetMs())), ...this.#times, ...args];
  }

  /** Adds the counters. Returns their names and amounts as a record has them, and for each line what is asked of it. */
  #addLines<L extends LedgerKey & { readonly amount: bigint }>(
    tag: string,
    lines: readonly L[],
    keys: string[],
    record: (amount: string) => string,
    more: (line: L) => readonly string[],
  ): { names: string; amounts: string; asked: string[] } {
    if (lines.length > maxLines) throw conflict(`a request has at most ${maxLines} lines`);
    const base = `${this.#settings.keyPrefix}{${tag}}:`;
    let names = '';
    let amounts = '';
    const asked: string[] = [];
    for (const [index, line] of lines.entries()) {
      for (let other = 0; other < index; other++) {
        if (lines[other]?.key === line.key) throw conflict(`${line.key} stands in two lines of one request`);
      }
      const name = counterName(line);
      const amount = amountText(line.amount);
      keys.push(base + name);
      names += `${Buffer.byteLength(name)}:${name}`;
      amounts += record(amount);
      asked.push(amount, ...more(line));
    }
    return { names: `${Buffer.byteLength(names)} ${names}`, amounts, asked };
  }

  async #call(script: Script, keys: string[], args: string[]): Promise<unknown> {
    const reply = await this.#caller.call(script, keys, args);
    if (!this.#isChecked) {
      this.#isChecked = true;
      void checkServer(this.#caller, keys.slice(0, 1), this.#settings.onWarning);
    }
    return reply;
  }
}

type FiveTexts = [string, string, string, string, string];

function parseHold([holdId = '', leaseLeft, onExpiry, ...rest]: readonly string[]): LedgerHold {
  const lines: LedgerHold['lines'][number][] = [];
  for (let at = 0; at < rest.length; at += 3) {
    const [name = '', left = '0', shape = '-'] = rest.slice(at, at + 3);
    lines.push({ ...parseCounter(name, shape), left: BigInt(left) });
  }
  return { holdId, lines, leaseLeftMs: Number(leaseLeft), onExpiry: onExpiry === 'b' ? 'book' : 'release' };
}

function byKeyAndWindow(a: LedgerKey, b: LedgerKey): number {
  if (a.key !== b.key) return a.key < b.key ? -1 : 1;
  return a.window.id < b.window.id ? -1 : 1;
}
