import type { HeaderReader } from './retry-after.ts';

/** What is used of an official SDK's client (`openai`, `groq-sdk`), or of anything that stands in for one. */
export interface ChatClient {
  readonly chat: {
    readonly completions: {
      create(body: never, options: never): unknown;
    };
  };
}

/** Options of one request, as the SDKs take them. */
export interface SdkRequestOptions {
  readonly signal?: AbortSignal;
  /** Retries are not the SDK's business: a retry is an attempt that somebody has to book. */
  readonly maxRetries: 0;
  /** Milliseconds. Time limits are ours; this only keeps the SDK's own default (1 or 10 minutes) away. */
  readonly timeout: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The longest timeout that a timer can hold, 24.8 days. */
const noTimeoutMs = 2_147_483_647;

/** The answer to a request: its headers first, then what the SDK made of its body. */
export interface SdkCall {
  /** Whether headers can be had at all: a client wrapped for tracing may hand out data only. */
  readonly showsHeaders: boolean;
  headers(): Promise<HeaderReader | undefined>;
  data(): Promise<unknown>;
  /** Lets go of an answer that comes although nobody waits any more. */
  discard(): void;
}

interface RawResponse {
  readonly headers?: HeaderReader;
  readonly body?: { cancel(): Promise<unknown> } | null;
}

/** Sends a request. Retries are off, time limits ours. */
export function sendRequest(
  client: ChatClient,
  body: Readonly<Record<string, unknown>>,
  {
    signal,
    headers,
  }: {
    readonly signal: AbortSignal | undefined;
    readonly headers: Readonly<Record<string, string>> | undefined;
  },
): SdkCall {
  const options: SdkRequestOptions = {
    ...(signal && { signal }),
    maxRetries: 0,
    timeout: noTimeoutMs,
    ...(headers && { headers }),
  };
  // The SDKs' own types of body and options differ in detail; the wire does not.
  const sent = client.chat.completions.create(body as never, options as never) as PromiseLike<unknown> & {
    asResponse?: () => Promise<RawResponse>;
  };
  const response = typeof sent.asResponse === 'function' ? sent.asResponse() : undefined;
  return {
    showsHeaders: response !== undefined,
    headers: async () => (await response)?.headers,
    data: () => Promise.resolve(sent),
    discard() {
      const late = response ?? Promise.resolve(sent as PromiseLike<RawResponse | undefined>);
      late.then((answer) => answer?.body?.cancel()).catch(() => {});
    },
  };
}
