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

/** What `node:http2` publishes when a stream is made: one that is destroyed then sends no body. */
interface MadeStream {
  readonly stream: { destroy(error: Error): void };
  readonly headers: Readonly<Record<string, unknown>>;
}

/**
 * Stops requests to models, and all others to known providers, that go past `fetch` (`node:http`, `node:http2`,
 * `undici`, clients that were made before the boundary was there) before they are sent. Node tells of them on its
 * diagnostics channels.
 *
 * @param onBlocked hears of each, in its async context, and makes the error that it fails with.
 * @returns the way to stop it.
 */
export function blockUncovered(
  providerOf: ProviderFinder,
  allowHosts: ReadonlySet<string>,
  onBlocked: (host: string) => Error,
): () => void {
  const refusalOf = (method: unknown, url: URL | undefined): Error | undefined => {
    if (isPastBoundary() || url === undefined || allowHosts.has(url.host)) return undefined;
    const asksModel = method === 'POST' && isModelPath(url.pathname);
    return asksModel || providerOf(url) !== undefined ? onBlocked(url.host) : undefined;
  };
  const stop = (message: unknown): void => {
    const { request } = message as { readonly request: MadeRequest };
    const error = refusalOf(request.method, urlOf(request));
    if (error === undefined) return;
    if (request.onError !== undefined) request.onError(error);
    else request.destroy?.(error);
  };
  const stopStream = (message: unknown): void => {
    const { stream, headers } = message as MadeStream;
    const error = refusalOf(headers[':method'], urlOfStream(headers));
    if (error !== undefined) stream.destroy(error);
  };
  const stops = [
    ['undici:request:create', stop],
    ['http.client.request.created', stop],
    ['http2.client.stream.created', stopStream],
  ] as const;
  for (const [channel, listener] of stops) subscribe(channel, listener);
  return () => {
    for (const [channel, listener] of stops) unsubscribe(channel, listener);
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

function urlOfStream(headers: MadeStream['headers']): URL | undefined {
  try {
    const { ':scheme': scheme = 'https', ':authority': authority, host } = headers;
    const origin = `${String(scheme)}://${String(authority ?? host)}`;
    return new URL(String(headers[':path'] ?? '/'), origin);
  } catch {
    return undefined;
  }
}
