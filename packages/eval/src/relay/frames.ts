/** What stands between two processes: the head of a request or an answer, pieces of its body, its end, or an error. */
export type FrameKind = 'head' | 'data' | 'end' | 'error' | 'taken';

/** One message. */
export interface Frame {
  readonly kind: FrameKind;
  readonly payload: Buffer;
}

const kinds: readonly FrameKind[] = ['head', 'data', 'end', 'error', 'taken'];
const headerBytes = 5;
/** Pieces are not longer, so that nobody has to put long ones together. */
const maxDataBytes = 65_536;

/** A message as bytes: its kind, its length, what it says. */
export function frame(kind: FrameKind, payload: Uint8Array | string = ''): Buffer {
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
  const header = Buffer.alloc(headerBytes);
  header.writeUInt8(kinds.indexOf(kind), 0);
  header.writeUInt32BE(bytes.byteLength, 1);
  return Buffer.concat([header, bytes]);
}

/** A body, or a part of one, as messages. */
export function* dataFrames(bytes: Uint8Array): Generator<Buffer, void, undefined> {
  for (let at = 0; at < bytes.byteLength; at += maxDataBytes) {
    yield frame('data', bytes.subarray(at, at + maxDataBytes));
  }
}

/** Finds messages in bytes that come in whatever pieces. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /** @throws Error for bytes that are no message. */
  *push(bytes: Uint8Array): Generator<Frame, void, undefined> {
    let rest = this.#rest.byteLength === 0 ? Buffer.from(bytes) : Buffer.concat([this.#rest, bytes]);
    while (rest.byteLength >= headerBytes) {
      const kind = kinds[rest.readUInt8(0)];
      if (kind === undefined) throw new Error('What came over the socket of the run is no message.');
      const end = headerBytes + rest.readUInt32BE(1);
      if (rest.byteLength < end) break;
      yield { kind, payload: rest.subarray(headerBytes, end) };
      rest = rest.subarray(end);
    }
    this.#rest = rest;
  }
}
