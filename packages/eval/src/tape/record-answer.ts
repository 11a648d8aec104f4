import { keptHeaders } from './kept-headers.ts';
import type { Redact } from './request-identity.ts';
import type { TapedAnswer, TapedChunk, TapedEnd } from './tape-entry.ts';

/** A piece of a body as it came. */
export interface ReceivedChunk {
  readonly afterMs: number;
  readonly bytes: Uint8Array;
}

/** What was received of an answer. */
export interface ReceivedAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
  readonly afterMs: number;
  readonly chunks: readonly ReceivedChunk[];
  readonly end: TapedEnd;
}

/** An answer as a tape keeps it: text where it is text, in the pieces in which it came. */
export function tapeAnswer(
  received: ReceivedAnswer,
  redact: Redact,
  keepHeaders: ReadonlySet<string>,
): TapedAnswer {
  const { status, statusText, headers, afterMs, end } = received;
  const text = textChunks(received.chunks);
  return {
    status,
    ...(statusText !== '' && { statusText }),
    headers: Object.fromEntries(
      Object.entries(keptHeaders(headers, keepHeaders)).map(([name, value]) => [name, redact(value)]),
    ),
    afterMs,
    ...(text === undefined
      ? { chunks: received.chunks.map(toBase64), encoding: 'base64' as const }
      : { chunks: redactChunks(text, redact) }),
    end,
  };
}

/** The chunks as text; a character that was cut in two goes to the later one. `undefined` where it is no text. */
function textChunks(chunks: readonly ReceivedChunk[]): TapedChunk[] | undefined {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  try {
    const texts = chunks.map(
      ({ afterMs, bytes }): TapedChunk => [Math.round(afterMs), decoder.decode(bytes, { stream: true })],
    );
    const rest = decoder.decode();
    if (rest !== '') texts.push([Math.round(chunks.at(-1)?.afterMs ?? 0), rest]);
    return texts.filter(([, text]) => text !== '');
  } catch {
    return undefined;
  }
}

function toBase64({ afterMs, bytes }: ReceivedChunk): TapedChunk {
  return [Math.round(afterMs), Buffer.from(bytes).toString('base64')];
}

/** Piece by piece where that says the same as redacting the whole; else the whole becomes one piece. */
function redactChunks(chunks: readonly TapedChunk[], redact: Redact): readonly TapedChunk[] {
  const whole = chunks.map(([, text]) => text).join('');
  const redacted = redact(whole);
  if (redacted === whole) return chunks;
  const pieces = chunks.map(([afterMs, text]): TapedChunk => [afterMs, redact(text)]);
  if (pieces.map(([, text]) => text).join('') === redacted) return pieces;
  return [[chunks.at(-1)?.[0] ?? 0, redacted]];
}
