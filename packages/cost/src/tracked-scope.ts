import {
  type Attempt,
  type Attributes,
  ConfigError,
  type CostRecord,
  rejectUnknownKeys,
  type Usage,
  usdDecimal,
  usdNumber,
} from '@synapsekit/core';
import type { Bookkeeper } from './bookkeeper.ts';
import type { AttemptOptions, RecordOptions, Scope, ScopeHandle, ScopeOptions } from './scope.ts';
import { requireAttributes, requireScopeName, ScopeFrame } from './scope-frame.ts';
import type { ModelRef } from './valuer.ts';

/** A scope's handle: reads of its frame, writes through the bookkeeper. */
class TrackedScope implements ScopeHandle {
  readonly #bookkeeper: Bookkeeper;
  readonly #frame: ScopeFrame;

  constructor(bookkeeper: Bookkeeper, frame: ScopeFrame) {
    this.#bookkeeper = bookkeeper;
    this.#frame = frame;
  }

  get name(): string {
    return this.#frame.name;
  }

  get path(): readonly string[] {
    return this.#frame.path;
  }

  get attributes(): Attributes {
    return this.#frame.attributes;
  }

  get costUsd(): number {
    return usdNumber(this.#frame.totals.pico);
  }

  get costUsdExact(): string {
    return usdDecimal(this.#frame.totals.pico);
  }

  get calls(): number {
    return this.#frame.totals.calls;
  }

  get inputTokens(): number {
    return this.#frame.totals.inputTokens;
  }

  get cachedInputTokens(): number {
    return this.#frame.totals.cachedInputTokens;
  }

  get outputTokens(): number {
    return this.#frame.totals.outputTokens;
  }

  get reasoningTokens(): number {
    return this.#frame.totals.reasoningTokens;
  }

  get estimatedCalls(): number {
    return this.#frame.totals.estimatedCalls;
  }

  get unpricedCalls(): number {
    return this.#frame.totals.unpricedCalls;
  }

  record(model: ModelRef, usage: Usage, options?: RecordOptions): CostRecord {
    return this.#bookkeeper.record(this.#frame, model, usage, options);
  }

  recordAttempt(attempt: Attempt, options?: AttemptOptions): CostRecord | undefined {
    return this.#bookkeeper.recordAttempt(this.#frame, attempt, options);
  }

  scope<T>(name: string, ...rest: ScopeArguments<T>): T {
    return enterScope(this.#bookkeeper, this.#frame, name, rest);
  }

  openScope(name: string, options?: ScopeOptions): ScopeHandle {
    return openScope(this.#bookkeeper, this.#frame, name, options);
  }

  run<T>(fn: () => T): T {
    return this.#bookkeeper.storage.run(this.#frame, fn);
  }

  close(): void {
    this.#bookkeeper.close(this.#frame);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** What may follow a scope's name. */
export type ScopeArguments<T> = [fn: (scope: Scope) => T] | [options: ScopeOptions, fn: (scope: Scope) => T];

/** Opens a scope under `parent`. */
export function openScope(
  bookkeeper: Bookkeeper,
  parent: ScopeFrame | undefined,
  name: string,
  options?: ScopeOptions,
): ScopeHandle {
  return new TrackedScope(bookkeeper, newFrame(parent, name, options));
}

/** Runs a function in a scope under `parent`, and ends the scope with it. */
export function enterScope<T>(
  bookkeeper: Bookkeeper,
  parent: ScopeFrame | undefined,
  name: string,
  rest: ScopeArguments<T>,
): T {
  const [options, fn] = rest.length === 1 ? [undefined, rest[0]] : rest;
  if (typeof fn !== 'function') {
    throw new ConfigError('scope(name, fn) needs a function to run in the scope.', { option: 'fn' });
  }
  const frame = newFrame(parent, name, options);
  let result: T;
  try {
    result = bookkeeper.storage.run(frame, fn, new TrackedScope(bookkeeper, frame));
  } catch (error) {
    bookkeeper.close(frame);
    throw error;
  }
  if (isPlainPromise(result)) return closing(bookkeeper, frame, result) as T;
  bookkeeper.close(frame);
  return result;
}

/** Like `finally`, for one promise in place of three. */
function closing<T>(bookkeeper: Bookkeeper, frame: ScopeFrame, result: Promise<T>): Promise<T> {
  return result.then(
    (value) => {
      bookkeeper.close(frame);
      return value;
    },
    (error: unknown) => {
      bookkeeper.close(frame);
      throw error;
    },
  );
}

function newFrame(parent: ScopeFrame | undefined, name: string, options?: ScopeOptions): ScopeFrame {
  if (options === undefined) return new ScopeFrame(requireScopeName(name), parent, undefined);
  rejectUnknownKeys(options, ['attributes'], 'ScopeOptions');
  return new ScopeFrame(requireScopeName(name), parent, requireAttributes(options.attributes));
}

/**
 * Only what an async function returns is waited for. Other thenables (query builders, SDK promises) may start their
 * work with `then`, or do it twice: they are handed through untouched, and the scope ends at once.
 */
function isPlainPromise(value: unknown): value is Promise<unknown> {
  return value instanceof Promise && Object.getPrototypeOf(value) === Promise.prototype;
}
