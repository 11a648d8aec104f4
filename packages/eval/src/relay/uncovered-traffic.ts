import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { isModelPath } from '../traffic/model-call.ts';
import type { ProviderFinder } from './provider-of-host.ts';

/** Set in the async context of what goes past the boundary. */
const ours = new AsyncLocalStorage<true>();

/**
 * For hosts: runs `fn`, in whose async context requests, processes and threads go past the boundary: they are the
 * runner's own, belong to no case, and cost nothing.
 */
export function pastBoundary<T>(fn: () => T): T {
  return ours.run(true, fn);
}

/** Whether this is the async context of something that goes past the boundary. */
export function isPastBoundary(): boolean {
  return ours.getStore() === true;
}

/** What `undici` and `node:http` publish when a request is made. */
interface MadeRequest {
  readonly origin?: string | URL;
  readonly path?: string;
  readonly protocol?: string;
  readonly host?: string;
  readonly method?: string;
  getHeader?(name: string): unknown;
  onError?(error: Error): void;
  destroy?(error: Error): void;
}

/**
 * Stops requests to models, and all others to known providers, that go past `fetch` (`node:http`, `undici`, clients
 * that were made before the boundary was there) before they are sent. Node tells of them on its diagnostics channels.
 *
 * @param onBlocked hears of each, in its async context, and makes the error that it fails with.
 * @returns the way to stop it.
 */
export function blockUncovered(
  providerOf: ProviderFinder,
  allowHosts: ReadonlySet<string>,
  onBlocked: (host: string) => Error,
): () => void {
  const stop = (message: unknown): void => {
    if (isPastBoundary()) return;
    const { request } = message as { readonly request: MadeRequest };
    const url = urlOf(request);
    if (url === undefined || allowHosts.has(url.host)) return;
    const asksModel = request.method === 'POST' && isModelPath(url.pathname);
    if (!asksModel && providerOf(url) === undefined) return;
    const error = onBlocked(url.host);
    if (request.onError !== undefined) request.onError(error);
    else request.destroy?.(error);
  };
  subscribe('undici:request:create', stop);
  subscribe('http.client.request.created', stop);
  return () => {
    unsubscribe('undici:request:create', stop);
    unsubscribe('http.client.request.created', stop);
  };
}

function urlOf(request: MadeRequest): URL | undefined {
  const { origin, path = '/', protocol = 'http:' } = request;
  try {
    if (origin !== undefined) return new URL(path, String(origin));
    return new URL(path, `${protocol}//${String(request.getHeader?.('host') ?? request.host)}`);
  } catch {
    return undefined;
  }
}
