import type { Attempt, AttemptIdentity, Clock } from '@synapsekit/core';
import { modelId } from '@synapsekit/core';
import { beginBoundaryCall } from '../boundary-call.ts';
import type { RunHold } from '../run-budget/run-budget.ts';
import type { ReceivedAnswer, ReceivedChunk } from '../tape/record-answer.ts';
import type { TapedEnd, TapedError } from '../tape/tape-entry.ts';
import { tapeError } from '../tape/tape-error.ts';
import { AnswerReader } from './answer-reader.ts';
import type { AskedModel, CallPrices } from './call-prices.ts';
import { meteredResponse } from './metered-response.ts';
import type { ModelCall } from './model-call.ts';
import type { TrafficBook } from './traffic-books.ts';

/** Puts an exchange that is over on tape; without an answer where none came. */
export type Recorder = (received: ReceivedAnswer | undefined, end: TapedEnd, afterMs: number) => void;

/** What an exchange is opened with. */
export interface ExchangeSetup {
  readonly callId: string;
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
  /** Aborts when whoever asked has returned. */
  readonly returned: AbortSignal | undefined;
  /** The books of its trial and of the run. */
  readonly books: readonly TrafficBook[];
  /** `undefined` for what is no call of a model. */
  readonly call: ModelCall | undefined;
  readonly attempt: AttemptIdentity | undefined;
  /** `undefined` for what is answered from tape. */
  readonly hold: RunHold | undefined;
  /** True for what is answered from tape: it is not billed. */
  readonly replayed: boolean;
  /** True for a request that may cost something although it is no known call. */
  readonly suspicious: boolean;
  /** There once the request was answered. */
  readonly prices: () => CallPrices | undefined;
  /** Keeps it on tape. */
  readonly record: Recorder | undefined;
  /** Waits for the books of the budget. */
  readonly track: (work: Promise<unknown>) => void;
}

/** Errors of requests that never reached anybody. */
const unsentCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** One request and its answer, from sending to the last byte: counted, booked and recorded once, however it ends. */
export class Exchange {
  readonly #setup: ExchangeSetup;
  readonly #startedMs: number;
  readonly #endCall: ReturnType<typeof beginBoundaryCall>;
  readonly #cut = (): void => this.#end('left');
  readonly #chunks: ReceivedChunk[] = [];
  #reader: AnswerReader | undefined;
  #response: Response | undefined;
  #headMs = 0;
  #firstTokenMs: number | undefined;
  #sent: boolean;
  #ended = false;

  constructor(setup: ExchangeSetup) {
    const { books, call, attempt, callId } = setup;
    this.#setup = setup;
    this.#sent = setup.replayed;
    this.#startedMs = setup.clock.monotonic();
    for (const book of books) {
      book.requests++;
      if (setup.replayed) book.replayed++;
      book.open.add(this.#cut);
    }
    this.#endCall =
      call === undefined ? () => {} : beginBoundaryCall({ callId, attemptId: attempt?.attemptId });
  }

  /** It leaves now: from here on it may cost something. */
  sent(): void {
    this.#sent = true;
  }

  /** The answer has begun. Returns it with its body watched. */
  answer(response: Response): Response {
    const { call, signal, returned } = this.#setup;
    this.#response = response;
    this.#headMs = this.#elapsed();
    // An error is free, and what was held for it can go to others at once.
    if (response.status >= 400) this.#release();
    else if (call !== undefined) {
      this.#reader = new AnswerReader(call.endpoint, response.headers.get('content-type') ?? '');
    }
    return meteredResponse(
      response,
      { signal, returned },
      {
        chunk: (bytes) => this.#chunk(bytes),
        end: (end) => this.#end(typeof end === 'string' ? end : tapeError(end.error)),
      },
    );
  }

  /** No answer came. */
  fail(error: unknown): void {
    this.#end(this.#setup.signal?.aborted === true ? 'left' : tapeError(error));
  }

  #chunk(bytes: Uint8Array): void {
    if (this.#ended) return;
    this.#reader?.push(bytes);
    if (this.#reader?.begun === true) this.#firstTokenMs ??= this.#elapsed();
    if (this.#setup.record !== undefined) {
      this.#chunks.push({ afterMs: this.#elapsed(), bytes: new Uint8Array(bytes) });
    }
  }

  #end(how: TapedEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    const end = how === 'left' && this.#reader?.finished === true ? 'complete' : how;
    for (const book of this.#setup.books) book.open.delete(this.#cut);
    this.#settle(end);
    this.#record(end);
  }

  #record(end: TapedEnd): void {
    const { record } = this.#setup;
    if (record === undefined || !this.#sent || isUnsent(end)) return;
    const response = this.#response;
    if (response === undefined) {
      record(undefined, end, this.#elapsed());
      return;
    }
    const { status, statusText, headers } = response;
    // A key that is missing or wrong says something about this machine: the next recording has to ask again.
    if (status === 401 || status === 403) return;
    const afterMs = Math.round(this.#headMs);
    record({ status, statusText, headers, afterMs, chunks: this.#chunks, end }, end, this.#elapsed());
  }

  #settle(end: TapedEnd): void {
    const { call, books, replayed, suspicious } = this.#setup;
    if (call === undefined) {
      if (suspicious && !replayed && this.#mayBeBilled(end)) for (const book of books) book.unknown++;
      this.#release();
      return;
    }
    const { model, serviceTier } = call;
    const prices = this.#setup.prices();
    // A host that nobody knows: the price list may know whose model it is.
    const provider = call.provider ?? prices?.find(call)?.provider;
    const id = provider === undefined ? model : modelId(provider, model);
    const asked: AskedModel = { provider: call.provider, model, serviceTier };
    const facts = this.#reader?.end();
    const usage = facts?.usage && {
      ...facts.usage,
      ...(facts.servedModel !== undefined && { servedModel: facts.servedModel }),
      ...(facts.serviceTier !== undefined && { serviceTier: facts.serviceTier }),
    };
    const billable = this.#mayBeBilled(end);
    const billedPico = usage && prices?.billed(asked, usage);
    if (billable && !replayed) this.#book(billedPico);
    else this.#release();
    const pico = usage && prices?.attributed(asked, usage);
    const attempt: Omit<Attempt, 'attemptId'> = {
      provider: provider ?? 'unknown',
      model,
      id,
      outcome: this.#outcome(end),
      ...(usage !== undefined && { usage }),
      ...(this.#requestId !== undefined && { requestId: this.#requestId }),
      latencyMs: this.#elapsed(),
      ...(this.#firstTokenMs !== undefined && { firstTokenMs: this.#firstTokenMs }),
    };
    this.#endCall({
      model: id,
      pico,
      billable,
      attempt,
      ...(usage !== undefined && { usage }),
      ...(usage === undefined && { unknown: 'no-usage' }),
    });
  }

  /** Books what it cost; what nobody knows is booked as all that was held for it. */
  #book(pico: bigint | undefined): void {
    const { hold, books, track } = this.#setup;
    const spent = pico ?? hold?.pico;
    for (const book of books) {
      if (spent !== undefined) book.billedPico += spent;
      if (pico === undefined) book.unknown++;
    }
    if (hold !== undefined) {
      track(pico === undefined ? hold.settle(hold.pico, 'estimated') : hold.settle(pico, 'actual'));
    }
  }

  #release(): void {
    const { hold, track } = this.#setup;
    if (hold !== undefined) track(hold.release());
  }

  #mayBeBilled(end: TapedEnd): boolean {
    if (this.#response !== undefined) return this.#response.status < 400;
    return this.#sent && !isUnsent(end);
  }

  #outcome(end: TapedEnd): Attempt['outcome'] {
    if (this.#response === undefined) return this.#sent && !isUnsent(end) ? 'unanswered' : 'unsent';
    if (this.#response.status >= 400) return 'refused';
    if (end === 'complete') return 'served';
    return this.#reader?.begun === true ? 'partial' : 'unanswered';
  }

  get #requestId(): string | undefined {
    return this.#response?.headers.get('x-request-id') ?? undefined;
  }

  #elapsed(): number {
    return this.#setup.clock.monotonic() - this.#startedMs;
  }
}

function isUnsent(end: TapedEnd): boolean {
  return (
    isError(end) && ((end.code !== undefined && unsentCodes.has(end.code)) || end.causeMessage === 'bad port')
  );
}

function isError(end: TapedEnd): end is TapedError {
  return typeof end === 'object';
}
