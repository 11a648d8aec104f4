import type { Attempt } from '../attempt.ts';
import { type AttemptEnd, type RunningAttempt, startAttempt } from '../attempt-recorder.ts';
import type { Clock } from '../clock.ts';
import { CallTimeoutError, StreamAbandonedError, type TimeoutPhase } from '../errors.ts';
import type { LLM } from '../llm.ts';
import type { CallOptions, LLMConfig } from '../options.ts';
import type { Prompt } from '../prompt.ts';
import type { IdSource } from '../random.ts';
import { abortRacer, type LinkedSignal, linkSignals, raceAbort } from '../signal.ts';
import type { TokenCounter } from '../tokens.ts';
import type { TokenCounts, Usage } from '../usage.ts';
import type { WireAnswer } from './answer.ts';
import type { Dialect } from './dialect.ts';
import { failedOutcome, usageOf } from './outcome.ts';
import { requestId, toProviderError } from './provider-error.ts';
import { billedText, nothingReceived, type Received } from './received.ts';
import { toChatBody } from './request.ts';
import type { HeaderReader } from './retry-after.ts';
import { type ChatClient, type SdkCall, sendRequest } from './sdk.ts';
import { type TimeWatch, watchTime } from './time-watch.ts';
import {
  countAttempt,
  type LoadTokenizer,
  loadCounter,
  roughCounter,
  sensitiveText,
} from './token-counting.ts';

/** What all calls of one model share. */
export interface ExchangeSetup {
  readonly llm: Pick<LLM, 'provider' | 'model' | 'id'>;
  readonly config: LLMConfig;
  readonly dialect: Dialect;
  readonly client: () => Promise<ChatClient>;
  readonly loadTokenizer: LoadTokenizer | undefined;
  readonly attemptIdHeader: string | undefined;
  readonly clock: Clock;
  readonly ids: IdSource;
}

/** One call. */
export interface ExchangeCall {
  readonly prompt: Prompt;
  readonly options: CallOptions;
  /** The caller's, or that of the stream. */
  readonly signal: AbortSignal | undefined;
  readonly stream: boolean;
}

interface ExchangeParts {
  readonly body: Record<string, unknown>;
  readonly client: ChatClient;
  readonly counter: TokenCounter;
  readonly attempt: RunningAttempt;
}

/**
 * One request on its way, until its attempt is reported: exactly once, whatever ends it. Our time limits and the
 * caller's abort take effect at once, also where the SDK or the server ignores them.
 */
export class Exchange {
  readonly #setup: ExchangeSetup;
  readonly #call: ExchangeCall;
  readonly #parts: ExchangeParts;
  /** None where nothing can end the request before it ends by itself: signals are dear in `fetch`. */
  readonly #link: LinkedSignal | undefined;
  readonly #watch: TimeWatch;
  readonly #unlessAborted: ReturnType<typeof abortRacer>;
  readonly #received: Received;
  #sent: SdkCall | undefined;
  #answered = false;
  #headers: HeaderReader | undefined;
  #emitted = false;
  #ended: Attempt | undefined;

  /**
   * Gets everything ready and starts the attempt. What fails here was not sent.
   *
   * @throws ConfigError without a key, the SDK or the tokenizer; `signal.reason`; whatever refuses the attempt.
   */
  static async open(setup: ExchangeSetup, call: ExchangeCall, received?: Received): Promise<Exchange> {
    const { llm, config, dialect, clock, ids } = setup;
    const { options, prompt, signal, stream } = call;
    const body = toChatBody({ model: llm.model, prompt, options, config, dialect, stream });
    const start = (): RunningAttempt => startAttempt({ llm, options, stream, clock, ids });
    let ready: [ChatClient, TokenCounter];
    try {
      signal?.throwIfAborted();
      const counter = config.trackTokens === true ? loadCounter(setup.loadTokenizer) : roughCounter;
      ready = await raceAbort(Promise.all([setup.client(), counter]), signal);
    } catch (error) {
      start().end({ outcome: 'unsent', error });
      throw error;
    }
    // Started only now: loading the SDK for the first call is no latency of the provider's.
    const attempt = start();
    await attempt.admit();
    if (signal?.aborted === true) {
      attempt.end({ outcome: 'unsent', error: signal.reason });
      throw signal.reason;
    }
    const [client, counter] = ready;
    return new Exchange(setup, call, { body, client, counter, attempt }, received);
  }

  private constructor(setup: ExchangeSetup, call: ExchangeCall, parts: ExchangeParts, received?: Received) {
    this.#setup = setup;
    this.#call = call;
    this.#parts = parts;
    this.#received = received ?? nothingReceived;
    const { config, clock } = setup;
    const { options } = call;
    const limits = {
      timeoutMs: options.timeoutMs ?? config.timeoutMs,
      firstTokenTimeoutMs: call.stream
        ? (options.firstTokenTimeoutMs ?? config.firstTokenTimeoutMs)
        : undefined,
      idleTimeoutMs: options.idleTimeoutMs ?? config.idleTimeoutMs,
    };
    const isBounded = call.signal !== undefined || Object.values(limits).some((ms) => ms !== undefined);
    this.#link = isBounded ? linkSignals(call.signal) : undefined;
    this.#unlessAborted = this.#link === undefined ? unhurried : abortRacer(this.#link.signal);
    this.#watch = watchTime(clock, limits, (phase, limitMs) => this.#expire(phase, limitMs));
  }

  /** Sends the request and returns the SDK's data: a completion, or an iterable of chunks. */
  async send(): Promise<unknown> {
    const { attemptIdHeader } = this.#setup;
    const { body, client, attempt } = this.#parts;
    const signal = this.#link?.signal;
    this.#watch.sent();
    const headers = attemptIdHeader === undefined ? undefined : { [attemptIdHeader]: attempt.attemptId };
    const sent = attempt.run(() => sendRequest(client, body, { signal, headers }));
    this.#sent = sent;
    this.#answered = !sent.showsHeaders;
    this.#headers = await this.#unlessAborted(sent.headers());
    this.#answered = true;
    return await this.#unlessAborted(sent.data());
  }

  /** Asks for the next chunk; call `arrived` when it is there. Two steps, to save each chunk a promise. */
  ask(chunks: AsyncIterator<unknown>): Promise<IteratorResult<unknown>> {
    this.#link?.signal.throwIfAborted();
    this.#watch.waiting();
    return this.#unlessAborted(chunks.next());
  }

  arrived(): void {
    this.#watch.arrived();
  }

  /** Content is about to be handed out. */
  content(): void {
    this.#watch.content();
    this.#parts.attempt.firstToken();
    this.#emitted = true;
  }

  /** What kind of body the answer claims to have. */
  get contentType(): string {
    return this.#headers?.get('content-type') ?? '';
  }

  get headers(): HeaderReader | undefined {
    return this.#headers;
  }

  /** Ends the attempt well. */
  serve(answer: Partial<WireAnswer>): Attempt {
    if (this.#ended !== undefined) return this.#ended;
    const usage = this.#usage(answer, answer.usage);
    return this.#end({ outcome: 'served', usage, requestId: this.#requestId(answer) });
  }

  /** Ends the attempt badly, and returns what is to be thrown. */
  fail(error: unknown): unknown {
    const signal = this.#link?.signal;
    if (signal?.aborted === true) {
      this.cut(signal.reason);
      return signal.reason;
    }
    const { attempt, client } = this.#parts;
    const { prompt } = this.#call;
    const failure = toProviderError(error, {
      llm: this.#setup.llm,
      attemptId: attempt.attemptId,
      nowMs: this.#setup.clock.now(),
      answered: this.#answered,
      headers: this.#headers,
      requestId: this.#received.answer().requestId,
      emitted: this.#emitted,
      sensitive: { prompt: sensitiveText(prompt), secrets: keysOf(client) },
    });
    const received = this.#received;
    const outcome = failedOutcome(error, { answered: this.#answered, received });
    const free = outcome === 'refused' || outcome === 'unsent';
    this.#end({
      outcome,
      ...(!free && { usage: this.#usage(received.answer(), usageOf(error, received)) }),
      requestId: failure.requestId,
      error: failure,
    });
    return failure;
  }

  /** Ends the attempt where it stands: aborted, out of time, or left by its consumer. */
  cut(reason: unknown = this.#link?.signal.reason ?? new StreamAbandonedError()): Attempt {
    if (this.#ended !== undefined) return this.#ended;
    const answer = this.#received.answer();
    return this.#end({
      outcome: this.#received.begun ? 'partial' : 'unanswered',
      usage: this.#usage(answer, answer.usage),
      requestId: this.#requestId(answer),
      error: reason,
    });
  }

  /** Stops the clock, lets go of the caller's signal and, unless all went well, of the connection. */
  close(): void {
    this.#watch.stop();
    this.#link?.dispose();
    if (this.#ended?.outcome === 'served') return;
    this.#link?.abort(new StreamAbandonedError());
    this.#sent?.discard();
  }

  #expire(phase: TimeoutPhase, timeoutMs: number): void {
    const { llm } = this.#setup;
    const { attemptId } = this.#parts.attempt;
    const error = new CallTimeoutError(
      `${llm.id}: ${expired[phase]} within ${timeoutMs} ms. Allow more time, or ask another provider.`,
      { phase, timeoutMs, attemptId, emitted: this.#emitted },
    );
    this.#link?.abort(error);
    // At once, and not when a slow consumer asks for more: budgets hold money for this attempt.
    if (this.#received.finished) this.serve(this.#received.answer());
    else this.cut(error);
  }

  #end(end: AttemptEnd): Attempt {
    this.#watch.stop();
    this.#ended = this.#parts.attempt.end(end);
    return this.#ended;
  }

  #usage(answer: Partial<WireAnswer>, told: TokenCounts | undefined): Usage {
    const { prompt, options } = this.#call;
    const { servedModel, serviceTier } = answer;
    const counted: Usage =
      told === undefined
        ? countAttempt(this.#parts.counter, { prompt, options }, billedText(answer))
        : { ...told, source: 'provider' };
    return {
      ...counted,
      ...(servedModel !== undefined && { servedModel }),
      ...(serviceTier !== undefined && { serviceTier }),
    };
  }

  #requestId(answer: Partial<WireAnswer>): string | undefined {
    return requestId(this.#headers) ?? answer.requestId;
  }
}

/** Waits for nothing but the promise itself. */
const unhurried: ReturnType<typeof abortRacer> = (promise) => Promise.resolve(promise);

const expired: Readonly<Record<TimeoutPhase, string>> = {
  total: 'no complete answer came',
  'first-token': 'no content came',
  idle: 'the stream brought nothing new',
};

/** The key of a client, so that it can be kept out of messages. */
function keysOf(client: ChatClient): readonly string[] {
  const { apiKey } = client as { apiKey?: unknown };
  return typeof apiKey === 'string' ? [apiKey] : [];
}
