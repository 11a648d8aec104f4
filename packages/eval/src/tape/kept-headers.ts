/** Headers of answers that clients look at. Everything else, cookies and ids of organisations first, is not kept. */
const allowed: ReadonlySet<string> = new Set([
  'content-type',
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
  'x-request-id',
  'request-id',
  'openai-model',
  'openai-version',
  'openai-processing-ms',
]);

/** The headers that are put on tape: those of the allow-list, of rate limits, and those of `more`. */
export function keptHeaders(headers: Headers, more: ReadonlySet<string>): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of headers) {
    if (allowed.has(name) || name.startsWith('x-ratelimit-') || more.has(name)) kept[name] = value;
  }
  return kept;
}

/** Headers that hold credentials: nobody may ask to keep them. */
export const secretHeaders: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'api-key',
  'x-api-key',
  'x-goog-api-key',
  'cookie',
  'set-cookie',
  'openai-organization',
  'openai-project',
]);
