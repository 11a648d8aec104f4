import { pathToFileURL } from 'node:url';
import { systemClock } from '@synapsekit/core';

/** A module that was loaded, or why it was not. */
export type LoadedFile =
  | { readonly file: string; readonly exports: Readonly<Record<string, unknown>> }
  | { readonly file: string; readonly error: unknown };

/**
 * Loads an eval file. A module runs once; when it fails it is not tried again in another way, since what it has paid
 * for by then would be paid twice.
 */
export async function loadFile(
  file: string,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<LoadedFile> {
  const over = new AbortController();
  const limit = async (): Promise<never> => {
    await systemClock.sleep(timeoutMs, { signal: over.signal });
    throw new Error(
      `It did not finish loading within ${timeoutMs} ms: a top-level await that waits too long?`,
    );
  };
  const follow = (): void => over.abort(signal.reason);
  signal.addEventListener('abort', follow, { once: true });
  try {
    return { file, exports: await Promise.race([import(pathToFileURL(file).href), limit()]) };
  } catch (error) {
    return { file, error };
  } finally {
    signal.removeEventListener('abort', follow);
    over.abort('loaded');
  }
}
