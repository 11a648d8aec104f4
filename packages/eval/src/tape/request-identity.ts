import { createHash } from 'node:crypto';
import type { WireRequest } from '../traffic/wire-request.ts';
import { canonicalJson, sorted } from './canonical-json.ts';
import type { TapedRequest } from './tape-entry.ts';

/** Changes texts before they are put on tape, and before they are compared with one. */
export type Redact = (text: string) => string;

/** A request as tapes know it. */
export interface TapeRequest {
  readonly key: string;
  readonly request: TapedRequest;
}

/** Longer bodies are kept as a hash. */
const maxBodyChars = 262_144;
/** Parts of a query that are, or may be, credentials. */
const secretParameter =
  /^(?:key|api[-_]?key|.*token|.*secret|.*password|auth.*|sig|signature|x-(?:amz|goog)-.*)$/i;

/** Tells a request by its method, path and body: not by its host, so that it may be recorded through a proxy. */
export function identify({ method, url, body }: WireRequest, redact: Redact): TapeRequest {
  const path = redact(pathOf(url));
  const text = body?.text === undefined ? undefined : redact(body.text);
  let told: unknown;
  let canonical: string;
  if (text === undefined) {
    canonical = body === undefined ? '' : `sha256 ${sha256(body.raw)}`;
  } else {
    const json = text === body?.text ? body.json : parse(text);
    told = json === undefined ? text : sorted(json);
    canonical = json === undefined ? text : canonicalJson(json);
  }
  const isLong = told !== undefined && canonical.length > maxBodyChars;
  const hash = told === undefined ? body && sha256(body.raw) : isLong ? sha256(canonical) : undefined;
  return {
    key: sha256(`${method} ${path}\n${canonical}`).slice(0, 16),
    request: {
      method,
      host: url.host,
      path,
      ...(told !== undefined && !isLong && { body: told }),
      ...(hash !== undefined && { bodySha256: hash }),
    },
  };
}

function pathOf({ pathname, searchParams }: URL): string {
  const query = [...searchParams]
    .filter(([name]) => !secretParameter.test(name))
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return query.length === 0 ? pathname : `${pathname}?${new URLSearchParams(query)}`;
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
