import { setTimeout as delay } from 'node:timers/promises';
import { type Attempt, isContent, isSynapseError, type LLM, type Random } from '@synapsekit/core';
import type { ScopeHandle } from '@synapsekit/cost';
import type { Books } from './books.ts';
import type { Stack } from './stack.ts';
import type { Violations } from './violations.ts';

const users: readonly string[] = Array.from({ length: 40 }, (_, index) => `user-${index}`);

const prompts: readonly string[] = [
  'What is the capital of France?',
  'What is 17 + 25?',
  'Explain the difference between TCP and UDP.',
  'Write a Python function to find all prime numbers up to N.',
  'Summarise the CAP theorem in two sentences.',
  'Who wrote "Faust", and when? Antworte auf Deutsch, bitte: Grüße!',
];

/** Errors that a caller may meet with here. Every other one is a fault of ours. */
const expectedErrors: ReadonlySet<string> = new Set([
  'provider',
  'timeout',
  'budget-exceeded',
  'circuit-open',
  'bulkhead-full',
  'all-providers-failed',
]);

/** What callers do: ask, abort, leave streams midway, and come back. */
export class Traffic {
  calls = 0;
  /** How calls ended: `"answer"`, `"left"`, `"aborted"`, or the code of an error. */
  readonly ends: Map<string, number> = new Map();
  /** Signals whose calls are over: nobody may listen to them any more. */
  readonly usedSignals: AbortSignal[] = [];
  /** One for each user, open all the time. */
  readonly scopes: ReadonlyMap<string, ScopeHandle>;
  readonly #stack: Stack;
  readonly #books: Books;
  readonly #random: Random;
  readonly #violations: Violations;

  constructor(stack: Stack, books: Books, random: Random, violations: Violations) {
    this.#stack = stack;
    this.scopes = new Map(users.map((user) => [user, stack.tracker.openScope(`user:${user}`)]));
    this.#books = books;
    this.#random = random;
    this.#violations = violations;
  }

  /** One call that nothing happens to. */
  async warmUp(llm: LLM): Promise<void> {
    const user = 'user-1';
    const onAttempt = (attempt: Attempt): void => this.#books.attempt(attempt, user);
    await this.scopes
      .get(user)
      ?.run(() => llm.generate('Hello', { attributes: { userId: user }, onAttempt, timeoutMs: 60_000 }));
  }

  /** One caller who asks again and again until `endsAtMs`, with one signal for all of his calls that he lets finish. */
  async caller(endsAtMs: number, lasting: AbortSignal): Promise<void> {
    while (performance.now() < endsAtMs) {
      await this.#call(lasting);
      await delay(this.#random() * 10); // a caller who is refused does not ask again in the same breath
    }
  }

  async #call(lasting: AbortSignal): Promise<void> {
    const random = this.#random;
    const number = this.calls++;
    const user = pick(users, random);
    const llm = pick(this.#stack.models, random);
    const prompt = pick(prompts, random);
    const way = pickWay(random());
    const controller = new AbortController();
    const aborts = way === 'abort';
    const timer = aborts ? setTimeout(() => controller.abort(), random() * 60) : undefined;
    const signal = aborts || number % 2 === 0 ? controller.signal : lasting;
    const options = {
      signal,
      attributes: { userId: user },
      onAttempt: (attempt: Attempt) => this.#books.attempt(attempt, user),
      ...(random() < 0.03 && { timeoutMs: 30 }),
    };
    const ask = (): Promise<string> => this.#ask(llm, prompt, way, options);
    const { tracker } = this.#stack;
    const own = this.scopes.get(user) as ScopeHandle;
    let end: string;
    try {
      end = await own.run(() => tracker.scope(`request:${number}`, ask));
    } catch (error) {
      end = this.#endOf(error, signal);
    } finally {
      clearTimeout(timer);
    }
    this.ends.set(end, (this.ends.get(end) ?? 0) + 1);
    this.usedSignals.push(signal);
  }

  async #ask(llm: LLM, prompt: string, way: Way, options: Parameters<LLM['generate']>[1]): Promise<string> {
    if (way === 'generate' || (way === 'abort' && this.#random() < 0.5)) {
      await llm.generate(prompt, options);
      return 'answer';
    }
    const stream = llm.stream(prompt, options);
    if (way === 'unread') return 'unread';
    if (way === 'result') {
      await stream.result;
      return 'answer';
    }
    const patience = way === 'leave' ? Math.floor(this.#random() * 8) : Number.POSITIVE_INFINITY;
    let pieces = 0;
    for await (const event of stream) {
      if (isContent(event)) pieces += 1;
      if (pieces > patience) return 'left';
    }
    return 'answer';
  }

  #endOf(error: unknown, signal: AbortSignal): string {
    if (signal.aborted && error === signal.reason) return 'aborted';
    const code = isSynapseError(error) ? error.code : 'foreign';
    const told = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#violations.expect(expectedErrors.has(code), `a caller met with an error "${code}"`, told);
    return code;
  }
}

type Way = 'generate' | 'read' | 'result' | 'leave' | 'unread' | 'abort';

function pickWay(chance: number): Way {
  if (chance < 0.35) return 'generate';
  if (chance < 0.6) return 'read';
  if (chance < 0.7) return 'result';
  if (chance < 0.82) return 'leave';
  return chance < 0.84 ? 'unread' : 'abort';
}

function pick<T>(values: readonly T[], random: Random): T {
  return values[Math.floor(random() * values.length)] as T;
}
