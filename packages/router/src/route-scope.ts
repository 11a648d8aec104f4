import { ConfigError, type GenerationStream } from '@synapsekit/core';
import type { RouteStep } from './routed.ts';

/** Runs a step of the router inside something of the caller's: a cost scope, a span. */
export type RouteScope = <T>(step: RouteStep, fn: () => Promise<T>) => Promise<T>;

/** No scope at all. */
export const noScope: RouteScope = (_, fn) => fn();

/** Runs a step in its scope. What the step gives counts, not what the scope makes of it. */
export async function inScope<T>(scope: RouteScope, step: RouteStep, fn: () => Promise<T>): Promise<T> {
  let result: { readonly value: T } | undefined;
  await scope(step, async () => {
    const value = await fn();
    result = { value };
    return value;
  });
  if (result === undefined) throw stepNotRun(step);
  return result.value;
}

/** Creates a stream inside a step's scope and keeps that scope open until `end`. */
export async function openStream(
  scope: RouteScope,
  step: RouteStep,
  create: () => GenerationStream,
): Promise<{ readonly stream: GenerationStream; readonly end: () => void }> {
  const opened = Promise.withResolvers<GenerationStream>();
  const ended = Promise.withResolvers<void>();
  const running = scope(step, async () => {
    opened.resolve(create());
    await ended.promise;
  });
  // A scope that ends before it has run the step must not leave us waiting.
  running.then(() => opened.reject(stepNotRun(step)), opened.reject);
  return { stream: await opened.promise, end: ended.resolve };
}

function stepNotRun(step: RouteStep): ConfigError {
  return new ConfigError(`scope did not run the step "${step}". It must call fn, once, and await it.`, {
    option: 'scope',
  });
}
