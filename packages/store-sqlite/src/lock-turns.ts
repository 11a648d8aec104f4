import type { Random } from '@synapsekit/core';

/** For so many transactions after another process was met, this one leaves room for it. */
const politeFor = 64;
/** A transaction with fewer operations keeps nobody waiting. */
const fewOperations = 4;
/** How long, in milliseconds, a process keeps coming back to the lock before it leaves it to others. */
const turnMs = 8;
/** How long it leaves it alone then, on average: others ask for it every few milliseconds. */
const pauseMs = 2;

/**
 * Shares the lock among processes in turns. Whoever takes it over has to read again what others have changed; that pays
 * when several transactions follow. So a process goes on for a while, and only then leaves the lock alone for long
 * enough that one of those who wait finds it free.
 */
export class LockTurns {
  readonly #random: Random;
  #polite = 0;
  /** Undefined between turns. */
  #beganAtMs: number | undefined;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Another process has the lock, or had it since the last transaction: the turn, if there was one, is over. */
  metOthers(): void {
    this.#polite = politeFor;
    this.#beganAtMs = undefined;
  }

  /** How long, in milliseconds, to leave the lock alone after a transaction of `count` operations that began and ended then. */
  restAfter(count: number, beganAtMs: number, endedAtMs: number): number {
    if (this.#polite === 0) return 0;
    this.#polite -= 1;
    this.#beganAtMs ??= beganAtMs;
    if (count < fewOperations || endedAtMs - this.#beganAtMs < turnMs) return 0;
    this.#beganAtMs = undefined;
    return pauseMs * (0.5 + this.#random());
  }
}
