import type { BillEntry } from './bill.ts';
import type { ProviderName } from './model.ts';

/**
 * How an exchange stands.
 *
 * - `"running"`: not over yet.
 * - `"answered"`: a proper answer went out in full.
 * - `"refused"`: an error or something that is no answer went out (see `status`).
 * - `"cut"`: a fault broke the answer off.
 * - `"aborted"`: the client left before the end.
 */
export type ExchangeOutcome = 'running' | 'answered' | 'refused' | 'cut' | 'aborted';

/** One request as the server saw it. */
export interface SimulatedRequest {
  /** 1 for the first request since the start or the last reset. */
  readonly index: number;
  /** The `x-request-id` of the answer. */
  readonly requestId: string;
  readonly provider: ProviderName;
  readonly method: string;
  /** Path without query: `"/v1/chat/completions"`. */
  readonly path: string;
  /** Headers in lower case. Credentials are replaced by `"[redacted]"`. */
  readonly headers: Readonly<Record<string, string>>;
  /** The parsed body; the text itself where it is no JSON; `undefined` without one. */
  readonly body: unknown;
  /** The model asked for; empty where the request names none. */
  readonly model: string;
  readonly stream: boolean;
  /** The header `x-synapsekit-attempt`, if it came. */
  readonly attemptId: string | undefined;
  /** 1, or more for retries of an SDK (it counts them in `x-stainless-retry-count`). */
  readonly attempt: number;
  /** When it arrived, Unix milliseconds on the server's clock. */
  readonly atMs: number;
  readonly outcome: ExchangeOutcome;
  /** True when the client left before the end. */
  readonly aborted: boolean;
  /** HTTP status sent; `undefined` while nothing was. */
  readonly status: number | undefined;
  /** When it was over, Unix milliseconds. */
  readonly endedAtMs: number | undefined;
  /** Name of the fault that hit it. */
  readonly fault: string | undefined;
  /** The text of the answer as far as it was really sent. */
  readonly sentText: string;
  /** Its line on the bill; `undefined` where nothing was billed. */
  readonly billed: BillEntry | undefined;
}

/** What is known when a request arrives. */
export type ArrivalFacts = Pick<
  SimulatedRequest,
  'index' | 'requestId' | 'provider' | 'method' | 'path' | 'headers' | 'body' | 'atMs'
>;

/** The server's side of a request: facts that are still to come are filled in as they happen. */
export class RequestRecord implements SimulatedRequest {
  readonly index: number;
  readonly requestId: string;
  readonly provider: ProviderName;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly model: string;
  readonly stream: boolean;
  readonly attemptId: string | undefined;
  readonly attempt: number;
  readonly atMs: number;
  outcome: ExchangeOutcome = 'running';
  status: number | undefined;
  endedAtMs: number | undefined;
  fault: string | undefined;
  sentText = '';
  billed: BillEntry | undefined;

  constructor(facts: ArrivalFacts) {
    this.index = facts.index;
    this.requestId = facts.requestId;
    this.provider = facts.provider;
    this.method = facts.method;
    this.path = facts.path;
    this.headers = facts.headers;
    this.body = facts.body;
    this.atMs = facts.atMs;
    const { model, stream } = Object(facts.body) as { model?: unknown; stream?: unknown };
    this.model = typeof model === 'string' ? model : '';
    this.stream = stream === true;
    this.attemptId = facts.headers['x-synapsekit-attempt'];
    this.attempt = 1 + (Number(facts.headers['x-stainless-retry-count']) || 0);
  }

  get aborted(): boolean {
    return this.outcome === 'aborted';
  }

  /** The first verdict counts: what happens to a socket afterwards changes nothing. */
  end(outcome: Exclude<ExchangeOutcome, 'running'>, atMs: number): void {
    if (this.outcome !== 'running') return;
    this.outcome = outcome;
    this.endedAtMs = atMs;
  }
}

const secretHeaders = ['authorization', 'api-key', 'x-api-key', 'cookie', 'proxy-authorization'];

/** Headers as plain strings, without credentials. */
export function redactHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      secretHeaders.includes(name) ? '[redacted]' : [value].flat().join(', '),
    ]),
  );
}
