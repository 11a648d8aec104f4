import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '@synapsekit/core';
import type { Fault } from './fault.ts';
import { wait } from './wait.ts';

/** One HTTP answer on its way out, and the ways in which it can go wrong. */
export class Reply {
  readonly #response: ServerResponse;
  readonly #clock: Clock;
  readonly #drip: Fault['drip'];
  readonly #gone: AbortController = new AbortController();
  #broken = false;
  #started = false;

  constructor(response: ServerResponse, clock: Clock, drip: Fault['drip']) {
    this.#response = response;
    this.#clock = clock;
    this.#drip = drip;
    response.sendDate = false; // the server's clock tells the date
    if (response.destroyed) this.#gone.abort();
    response.once('close', () => this.#gone.abort());
    // A broken connection shows in 'close'; the error itself tells nothing more.
    response.on('error', () => undefined);
  }

  /** Aborts when the connection is gone: the client left, or the answer is complete or broken off. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** True when the client went away: the connection is gone and it was not us. */
  get clientLeft(): boolean {
    return this.#gone.signal.aborted && !this.#broken && !this.#response.writableEnded;
  }

  get started(): boolean {
    return this.#started;
  }

  /** Sends status and headers; without `flush` together with the first part of the body. */
  start(
    status: number,
    headers: Readonly<Record<string, string>>,
    { flush }: { readonly flush: boolean },
  ): void {
    if (this.gone.aborted) return;
    this.#response.writeHead(status, headers);
    this.#started = true;
    if (flush) this.#response.flushHeaders();
  }

  /** Sends a part of the body. Resolves to whether it was handed to the socket. */
  async write(part: string | Buffer): Promise<boolean> {
    const bytes = typeof part === 'string' ? Buffer.from(part) : part;
    const { bytes: size, everyMs } = this.#drip ?? { bytes: Math.max(1, bytes.length), everyMs: 0 };
    for (let start = 0; start < bytes.length; start += size) {
      if (this.#drip !== undefined) await wait(this.#clock, everyMs, this.gone);
      if (this.gone.aborted) return false;
      const roomLeft = this.#response.write(bytes.subarray(start, start + size));
      if (!roomLeft) await once(this.#response, 'drain', { signal: this.gone }).catch(() => undefined);
      // Each part leaves on its own, and a client that went away is noticed before the next one.
      await nextTurn();
    }
    return true;
  }

  /** Sends the last part of the body and ends it properly. */
  finish(part: string | Buffer): void {
    this.#response.end(part);
  }

  /** Breaks the connection: by a TCP reset, or by closing it within the body. */
  async breakOff(how: 'reset' | 'hang-up'): Promise<void> {
    if (this.gone.aborted) return;
    await nextTurn(); // a reset throws away what is still on its way
    this.#broken = true;
    const { socket } = this.#response;
    if (how === 'reset') socket?.resetAndDestroy();
    else socket?.destroySoon();
  }
}
