import { AsyncLocalStorage } from 'node:async_hooks';
import { channel } from 'node:diagnostics_channel';
import { type AttemptIdentity, channelNames, linkSignals, type PriceLookup } from '@synapsekit/core';
import type { RunHold } from '../run-budget/run-budget.ts';
import { worstCase } from '../run-budget/worst-case.ts';
import { keptHeaders } from '../tape/kept-headers.ts';
import { explainMiss } from '../tape/nearest-tape.ts';
import { playTape } from '../tape/play-tape.ts';
import { type ReceivedAnswer, tapeAnswer } from '../tape/record-answer.ts';
import { identify, type Redact, type TapeRequest } from '../tape/request-identity.ts';
import { SecretScan, withoutAccounts } from '../tape/secret-scan.ts';
import type { TapedEnd, TapeEntry, TapeScope } from '../tape/tape-entry.ts';
import type { TapeFile } from '../tape/tape-file.ts';
import { TapeLibrary } from '../tape/tape-library.ts';
import type { TrafficContext, TrafficController, TrafficReport, TrafficStop } from '../traffic-control.ts';
import { CallPrices } from './call-prices.ts';
import { Exchange, type ExchangeSetup } from './exchange.ts';
import { createProviderFinder, type ProviderFinder } from './hosts.ts';
import { refusalResponse, responseOf } from './metered-response.ts';
import { classify, type TrafficKind } from './model-call.ts';
import { TrafficBooks } from './traffic-books.ts';
import { checkTrafficOptions, type ProviderTrafficOptions, type TrafficSettings } from './traffic-options.ts';
import { blockUncovered, passing } from './uncovered-traffic.ts';
import { type FetchInput, readWireRequest, type WireRequest } from './wire-request.ts';

/** Seen by every boundary of the process: an attempt belongs to the request, not to the boundary. */
const attempts = new AsyncLocalStorage<AttemptIdentity>();
let boundaries = 0;

/** What is known of a request before it is answered. */
interface Asked {
  readonly request: WireRequest;
  readonly context: TrafficContext;
  readonly traffic: TrafficKind;
  readonly attempt: AttemptIdentity | undefined;
}

/**
 * The HTTP boundary of a run: everything that goes through `fetch` is measured by case and trial, bounded by the budget
 * of the run, and recorded on tape or answered from one. It sits below clients, retries, breakers and routers, so it
 * also covers code that knows nothing of SynapseKit.
 *
 * `install()` puts it in the place of `globalThis.fetch`, which the `openai` and `groq-sdk` clients take up when they
 * are made; or hand `traffic.fetch` to a client. Requests that do not go through `fetch` (`node:http`, `undici`) are
 * not covered; while it is installed they are stopped where they go to a known provider in replay or under a budget.
 *
 * Tapes hold prompts and answers, and nothing else does: that is what they are for.
 */
export class ProviderTraffic implements TrafficController {
  readonly mode: TrafficSettings['mode'];
  /** To be handed to clients that take a `fetch`. */
  readonly fetch: typeof globalThis.fetch;
  readonly #options: ProviderTrafficOptions;
  readonly #settings: TrafficSettings;
  readonly #network: typeof globalThis.fetch;
  readonly #providerOf: ProviderFinder;
  readonly #context = new AsyncLocalStorage<TrafficContext>();
  readonly #outside: TrafficContext = { trial: 0, role: 'load', signal: new AbortController().signal };
  readonly #books = new TrafficBooks();
  readonly #scan: SecretScan;
  readonly #tapes: TapeLibrary;
  readonly #redact: Redact;
  readonly #pending: Set<Promise<unknown>> = new Set();
  readonly #failures: unknown[] = [];
  #prices: Promise<CallPrices | undefined> | undefined;
  #loadedPrices: CallPrices | undefined;
  #closed = false;

  /** @throws ConfigError for an unknown option or a value that makes no sense. */
  constructor(options: ProviderTrafficOptions = {}) {
    this.#options = options;
    this.#settings = checkTrafficOptions(options);
    const { mode, cwd, tapes, clock } = this.#settings;
    this.mode = mode;
    const network = options.fetch ?? globalThis.fetch;
    this.#network = (input, init) => passing(() => network(input, init));
    this.#providerOf = createProviderFinder(options.providers ?? {});
    this.#scan = new SecretScan(tapes.secrets ?? {});
    this.#tapes = new TapeLibrary({ cwd, dir: tapes.dir, clock, scan: this.#scan });
    this.#redact = tapes.redact ?? ((text) => text);
    this.fetch = (input, init) => this.#fetch(input, init);
    if (boundaries++ === 0) channel(channelNames.attempt).bindStore(attempts);
  }

  /**
   * Puts it in the place of `globalThis.fetch`. Do so before clients are made. Returns the way back: clients that
   * were made meanwhile keep working, and go straight to the network.
   */
  install(): () => void {
    const before = globalThis.fetch;
    globalThis.fetch = this.fetch;
    const { mode, budget } = this.#settings;
    const unblock = mode === 'replay' || budget !== undefined ? this.#block() : () => {};
    return () => {
      if (globalThis.fetch === this.fetch) globalThis.fetch = before;
      unblock();
    };
  }

  async prepare(files: readonly string[]): Promise<void> {
    if (this.mode === 'live') return;
    await Promise.all(files.map((file) => this.#tapes.of(file)));
  }

  async admit(_context: TrafficContext): Promise<string | undefined> {
    const { budget } = this.#settings;
    if (budget === undefined || this.mode === 'replay' || this.mode === 'record') return undefined;
    try {
      const { committedPico } = await budget.status();
      return committedPico < budget.limitPico ? undefined : 'budget: all of it is spent';
    } catch {
      return undefined; // each call asks again, and fails closed
    }
  }

  run<T>(context: TrafficContext, fn: () => T): T {
    return this.#context.run(context, fn);
  }

  report(context: TrafficContext): TrafficReport | undefined {
    const book = this.#books.take(context);
    for (const cut of book?.open ?? []) cut(); // answers that nobody read
    if (this.mode !== 'live') {
      const complete = !context.signal.aborted && book?.stop === undefined;
      this.#track(this.#save(context, complete));
    }
    return book?.report();
  }

  total(): TrafficReport {
    return this.#books.total.report();
  }

  /**
   * Ends it: what is still out counts as cut, tapes are written, bookings are made durable. `fetch` then goes straight
   * to the network.
   *
   * @throws ConfigError for a tape that could not be written, or that would have held a secret.
   */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (--boundaries === 0) channel(channelNames.attempt).unbindStore(attempts);
    for (const cut of [...this.#books.total.open]) cut();
    while (this.#pending.size > 0) await Promise.all(this.#pending);
    if (this.mode !== 'live') await this.#tapes.save();
    await this.#settings.budget?.flush();
    if (this.#failures.length > 0) throw this.#failures[0];
  }

  async #fetch(input: FetchInput, init?: RequestInit): Promise<Response> {
    if (this.#closed || !this.#covers(input)) return this.#network(input, init);
    const context = this.#context.getStore() ?? this.#outside;
    const attempt = attempts.getStore();
    const request = await readWireRequest(input, init);
    request.signal?.throwIfAborted();
    const asked = { request, context, attempt, traffic: classify(request, this.#providerOf, attempt) };
    const stopped = this.#books.of(context).stop;
    if (stopped !== undefined) return refuse(stopped);
    if (asked.traffic.kind === 'model') void this.#loadPrices();
    return this.mode === 'live' ? this.#send(asked) : this.#withTape(asked);
  }

  async #withTape(asked: Asked): Promise<Response> {
    const { request, context } = asked;
    const scope = scopeOf(context);
    const taped = identify(request, this.#redact);
    let tape: TapeFile;
    try {
      tape = await this.#tapes.of(context.file);
      if (this.mode !== 'rerecord') {
        const entry = tape.take(scope, taped.key, taped.request.host);
        if (entry !== undefined) return await this.#play(asked, entry, tape);
        if (this.mode === 'replay') return this.#miss(asked, tape, scope, taped);
      }
      await tape.makeWritable();
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'ConfigError') throw error;
      return this.#stop(asked, { kind: 'blocked', message: error.message });
    }
    return this.#send(asked, this.#recorder(asked, tape, scope, taped));
  }

  async #play(asked: Asked, entry: TapeEntry, tape: TapeFile): Promise<Response> {
    const { maxAgeDays, paced = false } = this.#settings.tapes;
    const { clock } = this.#settings;
    const ageDays = (clock.now() - Date.parse(entry.recordedAt)) / 86_400_000;
    if (this.mode === 'replay' && maxAgeDays !== undefined && ageDays > maxAgeDays) {
      const message = `its tape in ${tape.shown} is ${Math.floor(ageDays)} days old, and ${maxAgeDays} are allowed; record it again with --rerecord`;
      return this.#stop(asked, { kind: 'replay-miss', message });
    }
    const { signal, url } = asked.request;
    const exchange = this.#open(asked, { replayed: true });
    try {
      const answer = await playTape(entry, { paced, clock, signal });
      await this.#loadPrices(asked.traffic);
      return exchange.answer(responseOf(answer, answer.chunks, url.href));
    } catch (error) {
      exchange.fail(error);
      throw error;
    }
  }

  #miss(asked: Asked, tape: TapeFile, scope: TapeScope, taped: TapeRequest): Response {
    const { why, detail } = explainMiss(tape.entries, scope, taped);
    const message = `${why} (${tape.shown}). Record it: synapsekit test --record`;
    return this.#stop(asked, { kind: 'replay-miss', message, ...(detail !== undefined && { detail }) });
  }

  async #send(asked: Asked, record?: ExchangeSetup['record']): Promise<Response> {
    const { request, context } = asked;
    // A case that is over spends nothing any more.
    context.signal.throwIfAborted();
    const hold = await this.#admitCall(asked);
    if (hold instanceof Response) return hold;
    const exchange = this.#open(asked, { replayed: false, hold, record });
    try {
      const response = await this.#limited(asked, () => {
        exchange.sent();
        return request.send(this.#network);
      });
      await this.#loadPrices(asked.traffic);
      return exchange.answer(response);
    } catch (error) {
      await this.#loadPrices(asked.traffic);
      exchange.fail(error);
      throw error;
    }
  }

  /** Sets aside what a request may cost. A response is the refusal. */
  async #admitCall(asked: Asked): Promise<RunHold | Response | undefined> {
    const { budget } = this.#settings;
    const { traffic, request, context } = asked;
    if (budget === undefined || traffic.kind === 'free') return undefined;
    const refused = (why: string): Response =>
      this.#stop(asked, { kind: 'budget', message: `budget: ${why}` });
    if (traffic.kind === 'unknown') {
      return refused(`${traffic.why}; if it costs nothing, say so with --allow-host ${request.url.host}`);
    }
    const { call } = traffic;
    let pico: bigint;
    try {
      const price = (await this.#loadPrices(traffic))?.find(call);
      const name = call.provider === undefined ? call.model : `${call.provider}/${call.model}`;
      if (price === undefined) return refused(`no price is known for ${name}; add it with --prices`);
      const worst = worstCase(call, price);
      if ('why' in worst) return refused(`what a call to ${name} may cost cannot be told: ${worst.why}`);
      pico = worst.pico;
      if (worst.unlimited && pico > budget.limitPico) {
        return refused(
          `a call to ${name} that sets no max_tokens may cost more than all of it; set max_tokens, or allow more`,
        );
      }
    } catch (error) {
      return refused(
        `the prices cannot be loaded: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
    const link = linkSignals(request.signal, context.signal);
    try {
      const hold = await budget.reserve(pico, link.signal);
      return 'denied' in hold ? refused(hold.denied) : hold;
    } catch (error) {
      // The client gave up. When the case itself has to stop, its money was what it waited for.
      if (context.signal.aborted) refused('it was still waiting for calls in flight to settle');
      throw error;
    } finally {
      link.dispose();
    }
  }

  async #limited({ request, context }: Asked, send: () => Promise<Response>): Promise<Response> {
    const { limiter } = this.#options;
    if (limiter === undefined) return send();
    const { host } = request.url;
    const link = linkSignals(request.signal, context.signal);
    try {
      return await limiter.run(host, link.signal, async () => {
        link.dispose(); // it only had to wait
        const response = await send();
        if (response.status === 429) limiter.throttled(host, retryAfterMs(response.headers));
        else if (response.ok) limiter.served(host);
        return response;
      });
    } finally {
      link.dispose();
    }
  }

  #open(
    { request, context, traffic, attempt }: Asked,
    {
      replayed,
      hold,
      record,
    }: Pick<ExchangeSetup, 'replayed'> & Partial<Pick<ExchangeSetup, 'hold' | 'record'>>,
  ): Exchange {
    return new Exchange({
      callId: this.#settings.ids(),
      clock: this.#settings.clock,
      signal: request.signal,
      books: [this.#books.of(context), this.#books.total],
      call: traffic.kind === 'model' ? traffic.call : undefined,
      suspicious: traffic.kind === 'unknown' && this.#providerOf(request.url) !== undefined,
      attempt,
      hold,
      replayed,
      prices: () => this.#loadedPrices,
      record,
      keptHeaders: (headers) => keptHeaders(headers, this.#settings.keepHeaders),
      track: (work) => this.#track(work),
    });
  }

  #recorder(
    { request, context }: Asked,
    tape: TapeFile,
    scope: TapeScope,
    taped: TapeRequest,
  ): NonNullable<ExchangeSetup['record']> {
    const occurrence = tape.nextOccurrence(scope, taped.key, this.mode === 'rerecord');
    const recordedAt = new Date(this.#settings.clock.now()).toISOString();
    const books = [this.#books.of(context), this.#books.total];
    this.#scan.learn(request.headers);
    return (received, end, afterMs) => {
      // Cut because the case had to stop: that says nothing about the provider.
      if (end === 'left' && context.signal.aborted) return;
      const answer = this.#taped(received, end, afterMs);
      tape.add({ ...scope, key: taped.key, occurrence, recordedAt, request: taped.request, answer });
      for (const book of books) book.recorded++;
    };
  }

  #taped(received: ReceivedAnswer | undefined, end: TapedEnd, afterMs: number): TapeEntry['answer'] {
    if (received === undefined) {
      return { afterMs: Math.round(afterMs), end: end === 'complete' ? 'left' : end };
    }
    const redact: Redact = (text) => this.#redact(received.status >= 400 ? withoutAccounts(text) : text);
    return tapeAnswer(received, redact);
  }

  /** The trial is worth nothing any more, whatever the case makes of this answer. */
  #stop({ context }: Asked, stop: TrafficStop): Response {
    const book = this.#books.of(context);
    book.stop ??= stop;
    if (context.role === 'load') this.#books.total.stop ??= stop;
    return refuse(book.stop);
  }

  #block(): () => void {
    const forbids = this.mode === 'replay' ? 'the network is off in replay' : 'the run has a budget';
    return blockUncovered(this.#providerOf, (host) => {
      const context = this.#context.getStore() ?? this.#outside;
      const message = `a request to ${host} did not go through fetch, and ${forbids}. Use a client that calls fetch, made after the run began, or hand it the fetch of the run`;
      const book = this.#books.of(context);
      book.stop ??= { kind: 'blocked', message };
      if (context.role === 'load') this.#books.total.stop ??= book.stop;
      return new Error(`synapsekit: ${message}.`);
    });
  }

  #covers(input: FetchInput): boolean {
    try {
      const url = new URL(input instanceof Request ? input.url : String(input));
      return /^https?:$/.test(url.protocol) && !this.#settings.allowHosts.has(url.host);
    } catch {
      return false; // fetch says what is wrong with it
    }
  }

  /** Loaded once, at the first call of a model; a failure is not remembered. */
  async #loadPrices(traffic?: TrafficKind): Promise<CallPrices | undefined> {
    if (traffic !== undefined && traffic.kind !== 'model') return undefined;
    if (this.#loadedPrices !== undefined) return this.#loadedPrices;
    this.#prices ??= this.#readPrices();
    try {
      this.#loadedPrices = await this.#prices;
      return this.#loadedPrices;
    } catch (error) {
      this.#prices = undefined;
      if (this.#failures.length === 0) this.#failures.push(error);
      return undefined;
    }
  }

  async #readPrices(): Promise<CallPrices | undefined> {
    const { prices, priceAs } = this.#options;
    const lookup: PriceLookup | undefined = typeof prices === 'function' ? await prices() : prices;
    return lookup && new CallPrices(lookup, priceAs);
  }

  async #save(context: TrafficContext, complete: boolean): Promise<void> {
    if (this.mode === 'replay') return;
    if (this.mode === 'rerecord' && complete) {
      (await this.#tapes.of(context.file)).replaceTrial(scopeOf(context));
    }
    await this.#tapes.saveSometimes();
  }

  #track(work: Promise<unknown>): void {
    const tracked = work
      .catch((error: unknown) => {
        this.#failures.push(error);
      })
      .finally(() => this.#pending.delete(tracked));
    this.#pending.add(tracked);
  }
}

function scopeOf({ suite, name, trial, role }: TrafficContext): TapeScope {
  return { ...(suite !== undefined && { suite }), ...(name !== undefined && { case: name }), trial, role };
}

function refuse({ kind, message }: TrafficStop): Response {
  return refusalResponse(kind === 'budget' ? 'run_budget' : kind.replace('-', '_'), `synapsekit: ${message}`);
}

function retryAfterMs(headers: Headers): number | undefined {
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : undefined;
}
