/** What `fetch` takes. */
export type FetchInput = Parameters<typeof globalThis.fetch>[0];

/** A request on its way out, read once, so that it can be looked at and still be sent as it is. */
export interface WireRequest {
  readonly method: string;
  readonly url: URL;
  /** In lower case. */
  readonly headers: Headers;
  /** `undefined` without one. */
  readonly body: WireBody | undefined;
  readonly signal: AbortSignal | undefined;
  /** Sends it. */
  send(fetch: typeof globalThis.fetch): Promise<Response>;
}

/** A body. */
interface WireBody {
  readonly bytes: number;
  /** What it says, if it is text. */
  readonly text: string | undefined;
  /** The same as a value, if it is JSON. */
  readonly json?: unknown;
  /** For what is no text. */
  readonly raw: Uint8Array;
}

/** Reads the arguments of a call to `fetch`. A body that can be read once only is kept. */
export async function readWireRequest(input: FetchInput, init: RequestInit = {}): Promise<WireRequest> {
  const asRequest = input instanceof Request ? input : undefined;
  const url = new URL(asRequest?.url ?? String(input));
  const method = (init.method ?? asRequest?.method ?? 'GET').toUpperCase();
  const headers = new Headers(init.headers ?? asRequest?.headers);
  const signal = init.signal ?? asRequest?.signal ?? undefined;
  const { body = undefined } = init;
  if (body === undefined || body === null) {
    const copy = asRequest?.body == null ? undefined : await asRequest.clone().arrayBuffer();
    return {
      method,
      url,
      headers,
      body: copy && readBody(new Uint8Array(copy), headers),
      signal,
      send: (fetch) => fetch(input, init),
    };
  }
  if (typeof body === 'string') {
    return { method, url, headers, body: textBody(body), signal, send: (fetch) => fetch(input, init) };
  }
  // A form gets its boundary here, and a stream is read here: what is sent is what was read.
  const encoded = new Response(body);
  const type = encoded.headers.get('content-type');
  if (type !== null && !headers.has('content-type')) headers.set('content-type', type);
  const raw = new Uint8Array(await encoded.arrayBuffer());
  const sent: RequestInit = { ...init, headers, body: raw };
  delete (sent as { duplex?: unknown }).duplex;
  return {
    method,
    url,
    headers,
    body: readBody(raw, headers),
    signal,
    send: (fetch) => fetch(input, sent),
  };
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function readBody(raw: Uint8Array, headers: Headers): WireBody {
  let text: string | undefined;
  try {
    text = utf8.decode(raw);
  } catch {
    return { bytes: raw.byteLength, text: undefined, raw };
  }
  const boundary = /^multipart\/.*boundary="?([^";]+)/i.exec(headers.get('content-type') ?? '')?.[1];
  // Drawn anew for each request: it says nothing.
  if (boundary !== undefined) text = text.replaceAll(boundary, 'boundary');
  return { ...textBody(text), bytes: raw.byteLength, raw };
}

const encoder = new TextEncoder();

function textBody(text: string): WireBody {
  const raw = encoder.encode(text);
  const body = { bytes: raw.byteLength, text, raw };
  if (!/^\s*[[{]/.test(text)) return body;
  try {
    return { ...body, json: JSON.parse(text) };
  } catch {
    return body;
  }
}
