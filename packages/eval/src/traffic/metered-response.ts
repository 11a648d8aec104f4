/** Hears what passes through a body. */
export interface BodyWatcher {
  chunk(bytes: Uint8Array): void;
  /** Once. `"left"`: whoever read it does not any more. */
  end(end: 'complete' | 'left' | { readonly error: unknown }): void;
}

/** When the reader of a body is not there any more. */
export interface ReaderSignals {
  /** He gives up. */
  readonly signal: AbortSignal | undefined;
  /** He has returned: what he did not begin to read, such as the body of an answer of which only the status counts, is read here. */
  readonly returned: AbortSignal | undefined;
}

/**
 * The same answer, with somebody listening to its body. Nothing is read before the reader asks for it, or has returned;
 * what was read then is still there for whoever comes later, such as a metric.
 */
export function meteredResponse(
  response: Response,
  { signal, returned }: ReaderSignals,
  watcher: BodyWatcher,
): Response {
  if (response.body === null) {
    watcher.end('complete');
    return response;
  }
  const reader = response.body.getReader();
  let over = false;
  let begun = false;
  const onAbort = (): void => finish('left');
  const finish = (end: Parameters<BodyWatcher['end']>[0]): void => {
    if (over) return;
    over = true;
    signal?.removeEventListener('abort', onAbort);
    returned?.removeEventListener('abort', readAll);
    watcher.end(end);
  };
  const kept: Uint8Array[] = [];
  let drained: Promise<void> | undefined;
  /** The next piece that has something in it: a byte stream takes no others. */
  const next = async (): Promise<Uint8Array | undefined> => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return undefined;
      if (!over) watcher.chunk(value);
      if (value.byteLength > 0) return value;
    }
  };
  const drain = async (): Promise<void> => {
    try {
      for (let piece = await next(); piece !== undefined; piece = await next()) kept.push(piece);
      finish('complete');
    } catch (error) {
      finish(signal?.aborted === true ? 'left' : { error });
    }
  };
  const readAll = (): void => {
    if (!begun) drained ??= drain();
  };
  if (signal?.aborted === true) finish('left');
  else signal?.addEventListener('abort', onAbort, { once: true });
  if (returned?.aborted === true) readAll();
  else returned?.addEventListener('abort', readAll, { once: true });
  const body = new ReadableStream(
    {
      type: 'bytes',
      async pull(controller: ReadableByteStreamController) {
        begun = true;
        await drained;
        try {
          const piece = kept.shift() ?? (await next());
          if (piece !== undefined) {
            // A copy: what is given to a byte stream is gone for everybody else.
            controller.enqueue(new Uint8Array(piece));
            return;
          }
          finish('complete');
          controller.close();
          controller.byobRequest?.respond(0);
        } catch (error) {
          finish(signal?.aborted === true ? 'left' : { error });
          controller.error(error);
        }
      },
      async cancel(reason: unknown) {
        finish('left');
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
  return likeOf(response, body);
}

function likeOf(response: Response, body: ReadableStream): Response {
  const { status, statusText, headers, url, redirected, type } = response;
  const copy = new Response(body, { status, statusText, headers });
  for (const [name, value] of Object.entries({ url, redirected, type })) {
    Object.defineProperty(copy, name, { value, configurable: true });
  }
  return copy;
}

/**
 * An answer made of pieces that come one by one.
 *
 * @param onCancel called when its reader leaves: a generator that nobody has begun to read ends without a word.
 */
export function responseOf(
  { status, statusText, headers }: { status: number; statusText: string; headers: Headers },
  chunks: AsyncGenerator<Uint8Array, void, undefined>,
  url: string,
  onCancel: () => void = () => {},
): Response {
  const empty = status === 204 || status === 205 || status === 304;
  const body = empty
    ? null
    : new ReadableStream<Uint8Array>(
        {
          async pull(controller) {
            const { done, value } = await chunks.next();
            if (done === true) controller.close();
            else controller.enqueue(value);
          },
          cancel() {
            onCancel();
            // Not awaited: one that waits for an abort ends with it.
            chunks.return().catch(() => {});
          },
        },
        { highWaterMark: 0 },
      );
  const response = new Response(body, { status, statusText, headers });
  Object.defineProperty(response, 'url', { value: url, configurable: true });
  return response;
}

/** What a request is answered with that is not let through. No client tries again, and no breaker counts it. */
export function refusalResponse(code: string, message: string): Response {
  return Response.json(
    { error: { message, type: 'invalid_request_error', code, param: null } },
    { status: 400, headers: { 'x-should-retry': 'false', 'x-synapsekit': code } },
  );
}
