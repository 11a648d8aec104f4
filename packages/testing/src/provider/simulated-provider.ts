import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Clock, formatUsd, systemClock, usdDecimal } from '@synapsekit/core';
import { seededRandom } from '../seeded-random.ts';
import { sequentialIds } from '../sequential-ids.ts';
import { AnswerSource } from './answer-source.ts';
import { type Bill, BillBook } from './bill.ts';
import { Exchange } from './exchange.ts';
import type { Fault } from './fault.ts';
import { type FaultHandle, FaultPlan, type FaultTarget } from './fault-plan.ts';
import { faults } from './faults.ts';
import { Listener } from './listener.ts';
import { type ProviderName, providerNames } from './model.ts';
import { ModelCatalog } from './model-catalog.ts';
import { checkOptions, delayFor, type SimulatedProviderOptions } from './options.ts';
import { PromptCache } from './prompt-cache.ts';
import { Refusal } from './provider-error.ts';
import { Reply } from './reply.ts';
import { RequestLog } from './request-log.ts';
import type { ScriptedAnswer } from './scripted-answer.ts';
import { serve } from './serve.ts';
import type { ServerParts } from './server-parts.ts';
import type { SimulatedRequest } from './simulated-request.ts';
import { loadTokenizer, type Tokenizer } from './tokenizer.ts';

/**
 * OpenAI and Groq on this machine: one HTTP server on 127.0.0.1 that the official `openai` and `groq-sdk` clients
 * talk to unchanged. It answers by rules or by script, counts real tokens, keeps its own exact bill, and fails on cue.
 *
 * What it bills: an answer that goes out in full, by its usage. A stream that ends early, because the client left or a
 * fault cut it: the input, and the output that was really sent. An answer in one piece that the client did not wait
 * for, or that a fault cut: in full, since the model had made it. An error: nothing.
 */
export class SimulatedProvider implements AsyncDisposable {
  readonly #parts: ServerParts;
  readonly #clock: Clock;
  readonly #log: RequestLog;
  readonly #bill: BillBook;
  readonly #cache: PromptCache;
  readonly #plan: FaultPlan;
  readonly #answers: AnswerSource;
  readonly #listener: Listener;
  readonly #running: Set<Promise<void>> = new Set();
  readonly #listeners: Set<(request: SimulatedRequest) => void> = new Set();

  private constructor(options: SimulatedProviderOptions, tokenizer: Tokenizer) {
    const { clock = systemClock, random = seededRandom(1), maxRecords = 10_000, onRequest } = options;
    this.#clock = clock;
    this.#log = new RequestLog(maxRecords, clock);
    this.#bill = new BillBook(maxRecords);
    this.#cache = new PromptCache();
    this.#plan = new FaultPlan(clock, random);
    this.#answers = new AnswerSource(options.answers);
    this.#parts = {
      clock,
      catalog: new ModelCatalog(options.models),
      tokenizer,
      bill: this.#bill,
      cache: options.promptCache === true ? this.#cache : undefined,
      apiKeys: options.apiKeys,
      completionIds: sequentialIds('chatcmpl'),
      callIds: sequentialIds('call'),
      answerFor: (chat) => this.#answers.next(chat),
      latencyMs: delayFor(options.latencyMs),
      chunkDelayMs: delayFor(options.chunkDelayMs),
    };
    if (onRequest !== undefined) this.#listeners.add(onRequest);
    this.#listener = new Listener((request, response) => this.#track(this.#handle(request, response)));
  }

  /**
   * Starts a server.
   *
   * @throws ConfigError for wrong options or a port that is taken.
   */
  static async start(options: SimulatedProviderOptions = {}): Promise<SimulatedProvider> {
    checkOptions(options);
    const provider = new SimulatedProvider(options, await loadTokenizer());
    await provider.#listener.open(options.port ?? 0);
    return provider;
  }

  /** The port on 127.0.0.1. */
  get port(): number {
    return this.#listener.port;
  }

  /** For `new OpenAI({ baseURL })`. */
  get openaiBaseURL(): string {
    return `${this.#listener.url}/v1`;
  }

  /** For `new Groq({ baseURL })`. */
  get groqBaseURL(): string {
    return this.#listener.url;
  }

  /** Environment variables with which both official clients find this server by themselves. */
  get env(): Record<'OPENAI_BASE_URL' | 'OPENAI_API_KEY' | 'GROQ_BASE_URL' | 'GROQ_API_KEY', string> {
    const key = this.#parts.apiKeys?.[0] ?? 'simulated-key';
    return {
      OPENAI_BASE_URL: this.openaiBaseURL,
      OPENAI_API_KEY: key,
      GROQ_BASE_URL: this.groqBaseURL,
      GROQ_API_KEY: key,
    };
  }

  /** Every request since the start or the last reset, oldest first. */
  get requests(): readonly SimulatedRequest[] {
    return this.#log.records;
  }

  /** What the provider charges. */
  get bill(): Bill {
    return this.#bill;
  }

  /**
   * Gives the next answers, one per request, before anything else is asked for one.
   *
   * @throws ConfigError for what is no answer.
   */
  answerNext(...answers: readonly (string | ScriptedAnswer)[]): void {
    this.#answers.push(answers);
  }

  /**
   * Orders a fault: by default for the next request, whatever it is. Orders in a row hit requests in a row; of
   * several that fit a request, the one ordered first takes it.
   *
   * @throws ConfigError for a fault or target that is wrong.
   */
  fail(fault: Fault, target: FaultTarget = {}): FaultHandle {
    return this.#plan.add(fault, target);
  }

  /**
   * Takes a provider down until `end()`, or for the requests or times that the target says: every request gets
   * `fault`, by default 503.
   *
   * @throws ConfigError for a fault or target that is wrong.
   */
  outage(
    provider: ProviderName,
    fault: Fault = faults.overloaded(),
    target: Omit<FaultTarget, 'provider'> = {},
  ): FaultHandle {
    return this.#plan.add(fault, { times: Number.POSITIVE_INFINITY, ...target, provider });
  }

  /**
   * Closes the port, so that new connections of both providers are really refused (ECONNREFUSED), and opens the same
   * one again on `end()`. Requests that are running go on.
   */
  refuseConnections(): RefusedConnections {
    this.#listener.shut();
    let reopened: Promise<void> | undefined;
    const end = (): Promise<void> => {
      reopened ??= this.#listener.open();
      return reopened;
    };
    return { end, [Symbol.asyncDispose]: end };
  }

  /** Calls `listener` with every request once it is over. Returns the way to stop. */
  onRequest(listener: (request: SimulatedRequest) => void): () => void {
    const own = (request: SimulatedRequest): void => listener(request); // the same function may listen twice
    this.#listeners.add(own);
    return () => {
      this.#listeners.delete(own);
    };
  }

  /** Resolves when no request is running: what clients broke off is then on the bill as well. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  /** Forgets requests, bill, cached prompts, queued answers and faults. Wait for `idle()` first. */
  reset(): void {
    this.#log.clear();
    this.#bill.clear();
    this.#cache.clear();
    this.#answers.clear();
    this.#plan.clear();
  }

  /** What this server is, for people: addresses and models with their prices. */
  describe(): string {
    const { catalog } = this.#parts;
    const models = providerNames.flatMap((provider) => catalog.of(provider));
    const width = Math.max(...models.map(({ id }) => id.length));
    const perMillion = (pico: bigint): string => formatUsd(usdDecimal(pico * 1_000_000n));
    return [
      `Simulated OpenAI: ${this.openaiBaseURL}`,
      `Simulated Groq:   ${this.groqBaseURL}`,
      'Models, with input and output prices per million tokens:',
      ...models.map(
        ({ provider, id, rates }) =>
          `  ${provider.padEnd(6)}  ${id.padEnd(width)}  ${perMillion(rates.inputPico)} / ${perMillion(rates.outputPico)}`,
      ),
    ].join('\n');
  }

  /** Stops the server and breaks what is running. Afterwards nothing of it keeps the process alive. */
  async close(): Promise<void> {
    await this.#listener.close();
    await this.idle();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #track(exchange: Promise<void>): void {
    const tracked = exchange.finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const record = await this.#log.open(request);
    if (record === undefined) return; // the client left while it was still sending
    const fault = this.#plan.take(record) ?? {};
    record.fault = fault.name ?? (Object.keys(fault).length > 0 ? 'fault' : undefined);
    const reply = new Reply(response, this.#clock, fault.drip);
    const exchange = new Exchange(this.#parts, record, reply, fault);
    try {
      await serve(exchange, request.headers.authorization);
    } catch (error) {
      // A fault of the test itself, in its answers or delays: said to the client, since nobody else is listening.
      const message = `The simulated provider could not answer: ${String(error)}`;
      if (!reply.started) exchange.refuse(new Refusal(500, { message, type: 'simulator_error' }));
      else await reply.breakOff('reset');
      exchange.end('refused');
    }
    for (const listener of this.#listeners) listener(record);
  }
}

/** A port that is closed for the time being. */
export interface RefusedConnections extends AsyncDisposable {
  /**
   * Opens the port again.
   *
   * @throws ConfigError when somebody else took it meanwhile.
   */
  end(): Promise<void>;
}
