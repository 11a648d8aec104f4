import { AsyncLocalStorage } from 'node:async_hooks';
import { ConfigError, isSynapseError, StreamAbandonedError } from './errors.ts';
import type { FinishReason, Generation } from './generation.ts';
import { type LinkedSignal, linkSignals } from './signal.ts';
import type { ToolCall } from './tool.ts';
import type { Usage } from './usage.ts';

/** A piece of an answer. Text, reasoning and tool calls are content: after some, nobody starts over. */
export type StreamEvent =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'reasoning'; readonly text: string }
  | {
      readonly type: 'tool-call-delta';
      /** Which of the parallel tool calls this belongs to, from 0. */
      readonly index: number;
      /** Set in the first delta of a call. */
      readonly id?: string | undefined;
      readonly name?: string | undefined;
      readonly argumentsDelta: string;
    }
  /** A tool call is complete. */
  | { readonly type: 'tool-call'; readonly toolCall: ToolCall }
  /** Only with `includeUsage: true`. */
  | { readonly type: 'usage'; readonly usage: Usage }
  | { readonly type: 'finish'; readonly finishReason: FinishReason };

/** True for events that hand content to the consumer. Empty deltas hand him nothing. */
export function isContent(event: StreamEvent): boolean {
  switch (event.type) {
    case 'text':
    case 'reasoning':
      return event.text !== '';
    case 'tool-call-delta':
    case 'tool-call':
      return true;
    default:
      return false;
  }
}

/**
 * An answer on its way. Nothing is sent before it is read (`for await`) or `.result` is asked for. It runs in the
 * async context in which it was created, so it costs in the scope that asked for it.
 */
export interface GenerationStream<T extends Generation = Generation> extends AsyncIterable<StreamEvent> {
  /**
   * The whole answer; settles once. Asking for it reads the stream to its end; a reader still gets every event. When
   * the consumer leaves early, it resolves with what came until then, `finishReason: "aborted"`; when the call fails
   * or is aborted, it rejects.
   */
  readonly result: Promise<T>;
  /** Only the pieces of text. */
  readonly textStream: AsyncIterable<string>;
}

/** What a stream's source is given. */
export interface StreamContext<T extends Generation = Generation> {
  /** Aborts when the caller's signal does, and when the consumer leaves. Hand it to whatever does the work. */
  readonly signal: AbortSignal;
  /** Says what `.result` is to be if the consumer leaves now. The last word counts. */
  partial(generation: T | Promise<T>): void;
}

/** Produces the events and returns the whole answer. Its `finally` blocks run however the stream ends. */
export type StreamSource<T extends Generation = Generation> = (
  context: StreamContext<T>,
) => AsyncGenerator<StreamEvent, T, undefined>;

/** Makes a stream of a source: lazy, read once, prompt to abort, and true to its async context. */
export function createGenerationStream<T extends Generation = Generation>(
  source: StreamSource<T>,
  options: { readonly signal?: AbortSignal | undefined } = {},
): GenerationStream<T> {
  return new LazyStream(source, options.signal);
}

/** All events of `inner`, and its answer: the body of a middleware's stream. */
export async function* relay<T extends Generation>(
  context: StreamContext<T>,
  inner: GenerationStream<T>,
): AsyncGenerator<StreamEvent, T, undefined> {
  let ended = false;
  try {
    for await (const event of inner) yield event;
    const generation = await inner.result;
    ended = true;
    return generation;
  } finally {
    if (!ended) context.partial(inner.result);
  }
}

/** What becomes of a try whose stream may yet be replaced by another one. */
export interface TryHooks {
  /** The first content comes: from here on nobody starts over. */
  onContent(): void;
  /** Completes the answer, whole or partial. */
  finish(generation: Generation): Generation;
}

/**
 * Like `relay`, for one of several tries: hands out nothing before the first content, so that a try that fails
 * before it leaves no trace with the consumer.
 */
export async function* relayTry(
  context: StreamContext,
  inner: GenerationStream,
  { onContent, finish }: TryHooks,
): AsyncGenerator<StreamEvent, Generation, undefined> {
  const events = relay(
    {
      signal: context.signal,
      partial: (generation) => context.partial(Promise.resolve(generation).then(finish)),
    },
    inner,
  );
  let held: StreamEvent[] | undefined = [];
  try {
    let step = await events.next();
    for (; step.done !== true; step = await events.next()) {
      if (held === undefined) {
        yield step.value;
        continue;
      }
      held.push(step.value);
      if (!isContent(step.value)) continue;
      const first: StreamEvent[] = held;
      held = undefined;
      onContent();
      yield* first;
    }
    yield* held ?? [];
    return finish(step.value);
  } finally {
    await events.return(undefined as never);
  }
}

/** A stream left by its consumer ends through this reason, at every layer. */
export function isAbandonment(reason: unknown): boolean {
  return isSynapseError(reason, 'stream-abandoned');
}

class LazyStream<T extends Generation> implements GenerationStream<T> {
  readonly #source: StreamSource<T>;
  readonly #callerSignal: AbortSignal | undefined;
  readonly #inContext = AsyncLocalStorage.snapshot();
  readonly #result = Promise.withResolvers<T>();
  /** Events that were read ahead; those before `#taken` are handed out. */
  #buffer: StreamEvent[] = [];
  #taken = 0;
  #generator: AsyncGenerator<StreamEvent, T, undefined> | undefined;
  #link: LinkedSignal | undefined;
  #partial: T | Promise<T> | undefined;
  #pending = 0;
  #draining: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #ended = false;
  #read = false;

  constructor(source: StreamSource<T>, signal: AbortSignal | undefined) {
    this.#source = source;
    this.#callerSignal = signal;
    // Whoever only reads the events must not be killed by the rejection that he has seen already.
    this.#result.promise.catch(() => {});
  }

  get result(): Promise<T> {
    // Also while somebody reads: he may be waiting for this very promise before he reads on.
    this.#drain();
    return this.#result.promise;
  }

  get textStream(): AsyncIterable<string> {
    return { [Symbol.asyncIterator]: () => textOnly(this[Symbol.asyncIterator]()) };
  }

  [Symbol.asyncIterator](): ClosableIterator<StreamEvent> {
    if (this.#read) {
      throw new ConfigError('A stream can be read only once. Keep what you read, or await `.result`.');
    }
    this.#read = true;
    return {
      next: () => this.#next(),
      return: async () => {
        await this.#abandon();
        this.#buffer = [];
        this.#failure = undefined;
        return { done: true, value: undefined };
      },
    };
  }

  async #next(): Promise<IteratorResult<StreamEvent, undefined>> {
    for (;;) {
      const event = this.#take();
      if (event !== undefined) return { done: false, value: event };
      if (this.#draining === undefined) break;
      await this.#draining;
    }
    const event = await this.#pull();
    if (event !== undefined) return { done: false, value: event };
    const failure = this.#failure;
    this.#failure = undefined; // told once; then the stream is simply over
    if (failure !== undefined) throw failure.error;
    return { done: true, value: undefined };
  }

  /** The next event that was read ahead. Not by `shift`, which is quadratic over a long answer. */
  #take(): StreamEvent | undefined {
    const event = this.#buffer[this.#taken];
    if (event === undefined) {
      this.#buffer = [];
      this.#taken = 0;
    } else {
      this.#taken++;
    }
    return event;
  }

  /** One step of the source; `undefined` when it is over, well or badly. */
  async #pull(): Promise<StreamEvent | undefined> {
    if (this.#ended) return undefined;
    this.#pending++;
    try {
      const generator = this.#start();
      const step = await this.#inContext(() => generator.next());
      if (this.#ended) return undefined;
      if (step.done !== true) {
        const signal = this.#link?.signal;
        if (signal?.aborted !== true) return step.value;
        // It did not mind the abort: nobody waits for what else it has to say.
        await this.#close(signal.reason);
        return undefined;
      }
      this.#end();
      this.#result.resolve(step.value);
    } catch (error) {
      if (!this.#ended) this.#fail(error);
    } finally {
      this.#pending--;
    }
    return undefined;
  }

  #start(): AsyncGenerator<StreamEvent, T, undefined> {
    if (this.#generator !== undefined) return this.#generator;
    const link = linkSignals(this.#callerSignal);
    this.#link = link;
    if (link.signal.aborted) throw link.signal.reason;
    // A consumer that is busy elsewhere must not keep an aborted call, and the money held for it, alive.
    link.signal.addEventListener('abort', () => {
      if (this.#pending === 0 && !this.#ended) void this.#close(link.signal.reason);
    });
    this.#generator = this.#inContext(() =>
      this.#source({
        signal: link.signal,
        partial: (generation) => {
          this.#partial = generation;
          // Its rejection is told through `.result` or not at all.
          if (generation instanceof Promise) generation.catch(() => {});
        },
      }),
    );
    return this.#generator;
  }

  #drain(): void {
    if (this.#draining !== undefined || this.#ended) return;
    const step = this.#pull().then((event) => {
      if (event !== undefined) this.#buffer.push(event);
      this.#draining = undefined;
      if (event !== undefined) this.#drain();
    });
    this.#draining = step;
  }

  async #abandon(): Promise<void> {
    if (this.#ended) return;
    if (this.#generator === undefined) {
      // Never started: nothing was sent.
      this.#end();
      this.#result.reject(new StreamAbandonedError());
      return;
    }
    const reason = new StreamAbandonedError();
    if (this.#pending > 0) this.#link?.abort(reason);
    await this.#close(reason);
  }

  /** Runs the source's `finally` blocks, then settles. */
  async #close(reason: unknown): Promise<void> {
    const generator = this.#generator;
    this.#link?.abort(reason);
    try {
      await this.#inContext(() => generator?.return(undefined as never));
    } catch {
      // The source failed while it was being closed; `reason` is what counts.
    }
    if (!this.#ended) this.#fail(reason);
  }

  #fail(error: unknown): void {
    this.#end();
    if (isAbandonment(error)) {
      if (this.#partial === undefined) this.#result.reject(error);
      else this.#result.resolve(this.#partial);
      return;
    }
    this.#failure = { error };
    this.#result.reject(error);
  }

  #end(): void {
    this.#ended = true;
    this.#link?.dispose();
  }
}

interface ClosableIterator<T> extends AsyncIterator<T, undefined> {
  return(): Promise<IteratorReturnResult<undefined>>;
}

/** By hand: the `return` of a generator would wait for the piece that is on its way. */
function textOnly(events: ClosableIterator<StreamEvent>): ClosableIterator<string> {
  return {
    async next() {
      for (;;) {
        const step = await events.next();
        if (step.done === true) return step;
        if (step.value.type === 'text') return { done: false, value: step.value.text };
      }
    },
    async return() {
      await events.return();
      return { done: true, value: undefined };
    },
  };
}
