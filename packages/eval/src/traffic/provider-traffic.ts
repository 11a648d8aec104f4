import { AsyncLocalStorage } from 'node:async_hooks';
import { channel } from 'node:diagnostics_channel';
import { type AttemptIdentity, ConfigError, channelNames, linkSignals } from '@synapsekit/core';
import { parseRetryAfter } from '@synapsekit/core/chat-completions';
import { textLimits } from '../clip.ts';
import type { ProviderPrefix } from '../relay/address.ts';
import { finderOf, type ProviderFinder } from '../relay/provider-of-host.ts';
import { Relay } from '../relay/relay-server.ts';
import { blockUncovered, pastBoundary } from '../relay/uncovered-traffic.ts';
import { type AskedCall, admitCall } from '../run-budget/admit-call.ts';
import type { RunBudget } from '../run-budget/run-budget.ts';
import type { TapeDeck, TapeOrder } from '../tape/tape-deck.ts';
import { toldText } from '../told-text.ts';
import type { TrafficContext, TrafficController, TrafficReport, TrafficStop } from '../traffic-control.ts';
import { Exchange, type ExchangeSetup } from './exchange.ts';
import { readProviders } from './hosts.ts';
import { refusalResponse, responseOf } from './metered-response.ts';
import { classify, type TrafficKind } from './model-call.ts';
import { PriceSource } from './price-source.ts';
import { type TrafficBook, TrafficBooks } from './traffic-books.ts';
import { checkTrafficOptions, type ProviderTrafficOptions, type TrafficSettings } from './traffic-options.ts';
import { type FetchInput, readWireRequest } from './wire-request.ts';

/** Seen by every boundary of the process: an attempt belongs to the request, not to the boundary. */
const attempts = new AsyncLocalStorage<AttemptIdentity>();
let boundaries = 0;

/** What is known of a request before it is answered. */
interface Asked extends AskedCall {
  readonly attempt: AttemptIdentity | undefined;
}

/**
 * The HTTP boundary of a run: everything that goes through `fetch` is measured by case and trial, bounded by the budget
 * of the run, and recorded on tape or answered from one. It sits below clients, retries, breakers and routers, so it
 * also covers code that knows nothing of SynapseKit.
 *
 * `install()` puts it in the place of `globalThis.fetch`, which the `openai` and `groq-sdk` clients take up when they
 * are made; or hand `traffic.fetch` to a client. Requests that do not go through `fetch` (`node:http`, `undici`) are
 * not covered; in replay and under a budget those that ask a model, or go to a known provider, are stopped.
 *
 * Tapes hold whole prompts and answers: that is what they are for. Of cases that did not pass, reports hold the beginning
 * of their output.
 */
export class ProviderTraffic implements TrafficController {
  readonly mode: TrafficSettings['mode'];
  /** To be handed to clients that take a `fetch`. */
  readonly fetch: typeof globalThis.fetch;
  readonly #options: ProviderTrafficOptions;
  readonly #settings: TrafficSettings;
  readonly #network: typeof globalThis.fetch;
  readonly #providers: readonly ProviderPrefix[];
  readonly #providerOf: ProviderFinder;
  readonly #context = new AsyncLocalStorage<TrafficContext>();
  readonly #outside: TrafficContext = { trial: 0, role: 'load', signal: new AbortController().signal };
  readonly #books = new TrafficBooks();
  readonly #prices: PriceSource;
  readonly #pending: Set<Promise<unknown>> = new Set();
  readonly #failures: unknown[] = [];
  readonly #fail = (error: unknown): void => {
    this.#failures.push(error);
  };
  /** Trials that were reported, by their signal: what they do later belongs to nobody but the run. */
  readonly #over: WeakSet<AbortSignal> = new WeakSet();
  #relay: Relay | undefined;
  #deck: Promise<TapeDeck> | undefined;
  #closed = false;

  /** @throws ConfigError for an unknown option or a value that makes no sense. */
  constructor(options: ProviderTrafficOptions = {}) {
    this.#options = options;
    this.#settings = checkTrafficOptions(options);
    this.mode = this.#settings.mode;
    const network = options.fetch ?? globalThis.fetch;
    this.#network = (input, init) => pastBoundary(() => network(input, init));
    this.#providers = readProviders(options.providers ?? {});
    this.#providerOf = finderOf(this.#providers);
    this.#prices = new PriceSource(options.prices, options.priceAs);
    this.fetch = (input, init) => this.#fetch(input, init);
    if (boundaries++ === 0) channel(channelNames.attempt).bindStore(attempts);
  }

  /**
   * Puts it in the place of `globalThis.fetch`. Do so before clients are made. Returns the way back: clients that
   * were made meanwhile keep working, and go straight to the network once it is closed.
   */
  install(): () => void {
    const before = globalThis.fetch;
    globalThis.fetch = this.fetch;
    const unblock = this.#blocks ? this.#block() : () => {};
    const relay = this.#relayForOthers();
    this.#relay = relay;
    return () => {
      if (globalThis.fetch === this.fetch) globalThis.fetch = before;
      unblock();
      relay.close();
    };
  }

  async prepare(files: readonly string[]): Promise<void> {
    if (this.mode !== 'live') await (await this.#tapes()).prepare(files);
  }

  admit(_context: TrafficContext): Promise<string | undefined> | undefined {
    const { budget } = this.#settings;
    if (budget === undefined || this.mode === 'replay' || this.mode === 'record') return undefined;
    return this.#admitWithin(budget);
  }

  async #admitWithin(budget: RunBudget): Promise<string | undefined> {
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
    this.#relay?.readNotes();
    this.#over.add(context.signal);
    const book = this.#books.take(context);
    for (const cut of [...(book?.open ?? [])]) cut(); // answers that nobody read
    if (this.mode !== 'live' && book !== undefined) {
      const complete = !context.signal.aborted && book.stop === undefined;
      this.#track(this.#tapes().then((tapes) => tapes.endTrial(context, complete)));
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
   * @throws ConfigError for a tape that could not be written, or that would have held a secret; with the messages of
   *   all that went wrong, where that is more than one thing.
   */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#relay?.close();
    if (--boundaries === 0) channel(channelNames.attempt).unbindStore(attempts);
    for (const cut of [...this.#books.total.open]) cut();
    while (this.#pending.size > 0) await Promise.all(this.#pending);
    // Each of them, whatever became of the others.
    const deck = this.#deck;
    if (deck !== undefined) await deck.then((tapes) => tapes.save()).catch(this.#fail);
    await this.#settings.budget?.flush().catch(this.#fail);
    const failure = allOf(this.#failures) ?? this.#prices.failure;
    if (failure !== undefined) throw failure;
  }

  async #fetch(input: FetchInput, init?: RequestInit): Promise<Response> {
    if (this.#closed || !this.#covers(input)) return this.#network(input, init);
    const context = this.#context.getStore() ?? this.#outside;
    const attempt = attempts.getStore();
    const request = await readWireRequest(input, init);
    request.signal?.throwIfAborted();
    const asked = { request, context, attempt, traffic: classify(request, this.#providerOf, attempt) };
    const { stop } = this.#books.of(context);
    if (stop !== undefined) return refuse(stop);
    if (asked.traffic.kind === 'model') void this.#prices.load();
    if (this.mode === 'live') return this.#send(asked);
    const order = await (await this.#tapes()).order(request, context, this.#booksOf(context));
    if ('stop' in order) return this.#stop(asked, order.stop);
    return 'play' in order ? this.#play(asked, order.play) : this.#send(asked, order.record);
  }

  async #play(asked: Asked, play: Extract<TapeOrder, { play: unknown }>['play']): Promise<Response> {
    const exchange = this.#open(asked, { replayed: true });
    try {
      const answer = await play();
      await this.#loadPrices(asked.traffic);
      return exchange.answer(responseOf(answer, answer.chunks, asked.request.url.href));
    } catch (error) {
      exchange.fail(error);
      throw error;
    }
  }

  async #send(asked: Asked, record?: ExchangeSetup['record']): Promise<Response> {
    const { request, context, traffic } = asked;
    const { budget } = this.#settings;
    // A case that had to stop spends nothing any more. What one that has returned begins later is not part of it: the
    // budget of the run bounds it, and its total counts it.
    context.signal.throwIfAborted();
    const hold = budget && (await admitCall(budget, asked, () => this.#prices.load()));
    if (hold !== undefined && 'refused' in hold) {
      return this.#stop(asked, { kind: 'budget', message: `budget: ${hold.refused}` });
    }
    const exchange = this.#open(asked, { replayed: false, hold, record });
    try {
      const response = await this.#limited(asked, () => {
        exchange.sent();
        return request.send(this.#network);
      });
      await this.#loadPrices(traffic);
      return exchange.answer(response);
    } catch (error) {
      await this.#loadPrices(traffic);
      exchange.fail(error);
      throw error;
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
        if (response.status === 429)
          limiter.throttled(host, parseRetryAfter(response.headers, undefined, this.#settings.clock.now()));
        else if (response.ok) limiter.served(host);
        return response;
      });
    } finally {
      link.dispose();
    }
  }

  #open(
    { request, context, traffic, attempt }: Asked,
    more: Pick<ExchangeSetup, 'replayed'> & Partial<Pick<ExchangeSetup, 'hold' | 'record'>>,
  ): Exchange {
    return new Exchange({
      callId: this.#settings.ids(),
      clock: this.#settings.clock,
      signal: request.signal,
      returned: context.returned,
      books: this.#booksOf(context),
      call: traffic.kind === 'model' ? traffic.call : undefined,
      suspicious: traffic.kind === 'unknown' && traffic.provider !== undefined,
      attempt,
      hold: more.hold,
      replayed: more.replayed,
      prices: () => this.#prices.loaded,
      record: more.record,
      track: (work) => this.#track(work),
    });
  }

  /** The trial is worth nothing any more, whatever the case makes of this answer. */
  #stop({ context }: Pick<Asked, 'context'>, stop: TrafficStop): Response {
    const book = this.#books.of(context);
    const { kind, message, detail } = stop; // a model may be named by a whole prompt
    book.stop ??= {
      kind,
      message: toldText(message, textLimits.detail),
      ...(detail !== undefined && { detail: toldText(detail, textLimits.message) }),
    };
    // No case can fail for it any more, so the run does.
    if (context.role === 'load' || this.#over.has(context.signal)) this.#books.total.stop ??= book.stop;
    return refuse(book.stop);
  }

  /** Whether requests that go past `fetch` are stopped. */
  get #blocks(): boolean {
    return this.mode === 'replay' || this.#settings.budget !== undefined;
  }

  /** The boundary of processes and threads that are started while it is installed. */
  #relayForOthers(): Relay {
    return new Relay({
      fetch: this.fetch,
      onRefused: (message) => {
        void this.#stop({ context: this.#context.getStore() ?? this.#outside }, { kind: 'blocked', message });
      },
      isBinding: this.mode !== 'live' || this.#blocks,
      mayRead: this.mode === 'live',
      blocks: this.#blocks,
      allowHosts: [...this.#settings.allowHosts],
      providers: this.#providers,
    });
  }

  #block(): () => void {
    const forbids = this.mode === 'replay' ? 'the network is off in replay' : 'the run has a budget';
    return blockUncovered(this.#providerOf, this.#settings.allowHosts, (host) => {
      const message = `a request to ${host} did not go through fetch, and ${forbids}. Use a client that calls fetch, made after the run began, or hand it the fetch of the run`;
      const context = this.#context.getStore() ?? this.#outside;
      void this.#stop({ context }, { kind: 'blocked', message });
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

  #booksOf(context: TrafficContext): readonly TrafficBook[] {
    return [this.#books.of(context), this.#books.total];
  }

  #tapes(): Promise<TapeDeck> {
    this.#deck ??= import('../tape/tape-deck.ts').then(({ TapeDeck }) => new TapeDeck(this.#settings));
    return this.#deck;
  }

  /** So that what an answer costs is known the moment it ends. */
  async #loadPrices({ kind }: TrafficKind): Promise<void> {
    if (kind === 'model') await this.#prices.load();
  }

  #track(work: Promise<unknown>): void {
    const tracked = work.catch(this.#fail).finally(() => this.#pending.delete(tracked));
    this.#pending.add(tracked);
  }
}

function refuse({ kind, message }: TrafficStop): Response {
  return refusalResponse(kind === 'budget' ? 'run_budget' : kind.replace('-', '_'), `synapsekit: ${message}`);
}

/** Several at once: who is told one would mend it, and meet the next. */
function allOf(failures: readonly unknown[]): unknown {
  const byMessage = new Map(
    failures.map((each) => [each instanceof Error ? each.message : String(each), each]),
  );
  if (byMessage.size < 2) return failures[0];
  return new ConfigError([...byMessage.keys()].join('\n'), {
    option: 'traffic',
    cause: new AggregateError(byMessage.values()),
  });
}
