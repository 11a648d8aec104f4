import { type Clock, LedgerError } from '@synapsekit/core';
import type { Script } from './lua/script.ts';
import type { ScriptRunner } from './redis-client.ts';
import { ledgerError, replyCode } from './redis-errors.ts';

/** Calls scripts: by their hash, loaded anew when the server forgot them, and never longer than the time allowed. */
export class ScriptCaller {
  readonly #runner: ScriptRunner;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  /** Scripts on their way to a server that did not know them. */
  readonly #loading = new Map<string, Promise<unknown>>();

  constructor(runner: ScriptRunner, clock: Clock, timeoutMs: number) {
    this.#runner = runner;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /** @throws LedgerError for whatever goes wrong. */
  call(script: Script, keys: string[], args: string[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.timer(this.#timeoutMs, () => {
        reject(
          new LedgerError(
            `Redis did not answer within ${this.#timeoutMs} ms. The operation can be repeated, and counts once.`,
            { transient: true },
          ),
        );
      });
      this.#send(script, keys, args).then(
        (reply) => {
          cancel();
          resolve(reply);
        },
        (error: unknown) => {
          cancel();
          reject(ledgerError(error));
        },
      );
    });
  }

  async #send(script: Script, keys: string[], args: string[]): Promise<unknown> {
    try {
      return await this.#runner.bySha(script.sha, keys, args);
    } catch (error) {
      if (replyCode(error) !== 'NOSCRIPT') throw error;
    }
    // Many calls find out at once: one brings the script, the others wait for it.
    const loading = this.#loading.get(script.sha);
    if (loading !== undefined) {
      await loading.catch(() => {});
      try {
        return await this.#runner.bySha(script.sha, keys, args);
      } catch (error) {
        if (replyCode(error) !== 'NOSCRIPT') throw error; // another node of a cluster, or flushed again
      }
    }
    const running = this.#runner.bySource(script.source, keys, args);
    this.#loading.set(script.sha, running);
    try {
      return await running;
    } finally {
      if (this.#loading.get(script.sha) === running) this.#loading.delete(script.sha);
    }
  }
}
