import { type Clock, raceAbort } from '@synapsekit/core';
import type { TapedAnswer, TapedError, TapedSilence, TapeEntry } from './tape-entry.ts';

/** How a tape is played. */
export interface PlayOptions {
  /** Waits as long as it took when it was recorded. */
  readonly paced: boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
}

/**
 * Answers as the tape says: the same pieces, the same errors. Where the client left at the time, nothing more comes,
 * and it has to leave again.
 */
export async function playTape({ answer }: TapeEntry, options: PlayOptions): Promise<PlayedAnswer> {
  const { signal } = options;
  signal?.throwIfAborted();
  await pause(answer.afterMs, options);
  if (!isAnswer(answer)) {
    if (answer.end === 'left') return raceAbort(new Promise<never>(() => {}), signal);
    throw toError(answer.end);
  }
  const { status, statusText, headers } = answer;
  return {
    status,
    statusText: statusText ?? '',
    headers: new Headers(headers),
    chunks: chunksOf(answer, options),
  };
}

/** What a tape answers with. */
export interface PlayedAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
  /** Throws as the connection did. */
  readonly chunks: AsyncGenerator<Uint8Array, void, undefined>;
}

async function* chunksOf(
  { chunks, encoding, end, afterMs }: TapedAnswer,
  options: PlayOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  let atMs = afterMs;
  for (const [chunkMs, data] of chunks) {
    options.signal?.throwIfAborted();
    await pause(chunkMs - atMs, options);
    atMs = Math.max(atMs, chunkMs);
    yield encoding === 'base64' ? Buffer.from(data, 'base64') : Buffer.from(data, 'utf8');
  }
  if (end === 'complete') return;
  if (end === 'left') await raceAbort(new Promise<never>(() => {}), options.signal);
  else throw toError(end);
}

async function pause(ms: number, { paced, clock, signal }: PlayOptions): Promise<void> {
  if (paced && ms > 0) await clock.sleep(ms, { signal });
}

function isAnswer(answer: TapedAnswer | TapedSilence): answer is TapedAnswer {
  return 'status' in answer;
}

/** The error that `fetch` threw. */
function toError({ name, message, code, causeName, causeMessage }: TapedError): Error {
  const cause =
    code === undefined && causeMessage === undefined
      ? undefined
      : Object.assign(new Error(causeMessage ?? code), {
          ...(code !== undefined && { code }),
          ...(causeName !== undefined && { name: causeName }),
        });
  const options = cause === undefined ? {} : { cause };
  if (name === 'TypeError') return new TypeError(message, options);
  const error = new Error(message, options);
  error.name = name;
  return error;
}
