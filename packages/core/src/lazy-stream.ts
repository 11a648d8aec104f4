import { AsyncResource } from 'node:async_hooks';
import { ConfigError, isSynapseError, StreamAbandonedError } from './errors.ts';
import type { Generation } from './generation.ts';
import { type LinkedSignal, linkSignals } from './signal.ts';
import type { GenerationStream, StreamEvent, StreamSource, StreamWatch } from './stream.ts';
import {
  type ClosableIterator,
  type InnerStream,
  type Step,
  type StepListener,
  StreamReader,
  textOnly,
} from './stream-reader.ts';

/** A stream left by its consumer ends through this reason, at every layer. */
export function isAbandonment(reason: unknown): boolean {
  return isSynapseError(reason, 'stream-abandoned');
}

/**
 * Yielded by a source in place of an event: until `events` are at their end, the stream takes its events from there,
 * without waking the source for each of them. What they fail with is thrown where this was yielded.
 */
export class Passage {
  readonly events: AsyncIterator<StreamEvent, unknown>;
  readonly watch: StreamWatch;

  constructor(events: AsyncIterator<StreamEvent, unknown>, watch: StreamWatch) {
    this.events = events;
    this.watch = watch;
  }
}

const over: Step = Object.freeze({ done: true, value: undefined });

/**
 * A stream of a source. It takes one step at a time, for one promise beside the source's own; a stream that passes on
 * the events of another one (`Passage`) shares that promise with it. What happens at the ends of a stream, once each,
 * may wait as often as it likes.
 */
export class LazyStream<T extends Generation> implements GenerationStream<T> {
  readonly #source: StreamSource<T>;
  readonly #callerSignal: AbortSignal | undefined;
  readonly #context = new AsyncResource('SynapseKitStream'); // `AsyncLocalStorage.snapshot()` takes ten times as long
  readonly #result = Promise.withResolvers<T>();
  /** Events that were read ahead; those before `#taken` are handed out. */
  #buffer: StreamEvent[] = [];
  #taken = 0;
  #generator: AsyncGenerator<StreamEvent, T, undefined> | undefined;
  #link: LinkedSignal | undefined;
  #aborted = false;
  #partial: T | Promise<T> | undefined;
  /** Where the events come from while the source sleeps. */
  #passage: Passage | undefined;
  /** The stream behind the passage, where it is one of these and nobody looks on while it is waited for. */
  #inner: InnerStream | undefined;
  /** The watch of the passage is told of events. */
  #watched = false;
  /** The stream that passes this one on, if the step under way is one of its own. */
  #outer: StepListener | undefined;
  /** A step is under way. */
  #pending = false;
  /** The step that was asked for last, and how many wait for their turn to ask. */
  #last: Promise<Step> | undefined;
  #waiting = 0;
  /** Told of steps of the source, and of the stream that is passed on. */
  readonly #listener: StepListener = {
    came: (step) => this.#came(step),
    failed: (error) => this.#failed(error),
  };
  #draining: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
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
    return new StreamReader(
      (outer) => this.#stepFor(outer),
      () => this.#next(),
      async () => {
        await this.#abandon();
        this.#buffer = [];
        this.#failure = undefined;
        return { done: true, value: undefined };
      },
    );
  }

  #next(): Promise<Step> {
    return this.#isReadAhead ? this.#nextInBuffer() : this.#pull();
  }

  /** A step for the stream that passes this one on; `undefined` where somebody else wants something, too. */
  #stepFor(outer: StepListener): Promise<Step> | undefined {
    if (this.#pending || this.#waiting > 0 || this.#isReadAhead || this.#ended) return undefined;
    this.#last = this.#step(outer);
    return this.#last;
  }

  /** Somebody reads ahead, or has. */
  get #isReadAhead(): boolean {
    return this.#draining !== undefined || this.#buffer.length > 0;
  }

  async #nextInBuffer(): Promise<Step> {
    for (;;) {
      const event = this.#take();
      if (event !== undefined) return { done: false, value: event };
      if (this.#draining === undefined) return this.#pull();
      await this.#draining;
    }
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

  /** The next step, in turn. Rejects once with what the stream failed with; then it is simply over. */
  #pull(): Promise<Step> {
    if (!this.#pending && this.#waiting === 0) this.#last = this.#step(undefined);
    else this.#last = this.#pullLater(this.#last);
    return this.#last;
  }

  async #pullLater(before: Promise<Step> | undefined): Promise<Step> {
    this.#waiting++;
    await before?.catch(() => {});
    this.#waiting--;
    return this.#step(undefined);
  }

  /** @param outer the stream that passes this one on: each step of this one is a step of it, too. */
  #step(outer: StepListener | undefined): Promise<Step> {
    if (this.#ended) return this.#theEnd();
    this.#pending = true;
    this.#outer = outer;
    const inner = this.#inner;
    return inner?.(this.#listener) ?? this.#ask();
  }

  #ask(): Promise<Step> {
    try {
      const { came, failed } = this.#listener;
      if (this.#passage !== undefined) return this.#askPassage(this.#passage).then(came, failed);
      const generator = this.#generator ?? this.#start();
      return this.#context.runInAsyncScope(generator.next, generator).then(came, failed);
    } catch (error) {
      return this.#failed(error);
    }
  }

  #askPassage({ events, watch }: Passage): Promise<IteratorResult<StreamEvent, unknown>> {
    return this.#context.runInAsyncScope(() => {
      watch.asked?.();
      const answer = events.next();
      return watch.wait?.(answer) ?? answer;
    });
  }

  #came(step: IteratorResult<StreamEvent, unknown>): Step | Promise<Step> {
    const outer = this.#outer;
    const fromSource = this.#passage === undefined;
    if (step.done === true || this.#ended || this.#aborted || (fromSource && step.value instanceof Passage)) {
      this.#outer = undefined;
      return handUp(this.#turn(step), outer);
    }
    if (this.#watched) {
      try {
        this.#watched = this.#tellWatch(step.value);
      } catch (error) {
        return this.#failed(error);
      }
    }
    this.#pending = false;
    return outer === undefined ? step : outer.came(step);
  }

  #failed(error: unknown): Promise<Step> {
    const outer = this.#outer;
    this.#outer = undefined;
    return handUp(this.#sourceFailed(error), outer);
  }

  #tellWatch(event: StreamEvent): boolean {
    const watch = this.#passage?.watch;
    return watch?.came !== undefined && this.#context.runInAsyncScope(watch.came, watch, event);
  }

  /** A step that is no event to hand out. */
  async #turn(step: IteratorResult<StreamEvent, unknown>): Promise<Step> {
    try {
      if (this.#ended) return await this.#theEnd();
      if (this.#passage !== undefined && step.done === true) {
        if (this.#closing === undefined) {
          this.#leavePassage();
          return await this.#ask();
        }
        await this.#closing;
        return await this.#theEnd();
      }
      if (step.done === true) {
        this.#end();
        this.#result.resolve(step.value as T);
        return over;
      }
      if (!this.#aborted && step.value instanceof Passage) {
        this.#enterPassage(step.value);
        return await this.#ask();
      }
      // It did not mind the abort: nobody waits for what else it has to say.
      await this.#close(this.#link?.signal.reason);
      return await this.#theEnd();
    } finally {
      this.#pending = false;
    }
  }

  async #sourceFailed(error: unknown): Promise<Step> {
    try {
      if (this.#passage === undefined) {
        if (!this.#ended) this.#fail(error);
      } else if (this.#closing === undefined && this.#generator !== undefined) {
        const generator = this.#generator;
        this.#leavePassage();
        const step = this.#context.runInAsyncScope(() => generator.throw(error));
        return await step.then(this.#listener.came, this.#listener.failed);
      } else {
        await this.#closing;
      }
      return await this.#theEnd();
    } finally {
      this.#pending = false;
    }
  }

  async #theEnd(): Promise<Step> {
    const failure = this.#failure;
    if (failure === undefined) return over;
    this.#failure = undefined;
    throw failure.error;
  }

  #enterPassage(passage: Passage): void {
    this.#passage = passage;
    const { asked, wait, came } = passage.watch;
    this.#watched = came !== undefined;
    if (asked === undefined && wait === undefined) this.#inner = StreamReader.innerOf(passage.events);
  }

  #leavePassage(): void {
    this.#passage = undefined;
    this.#inner = undefined;
    this.#watched = false;
  }

  #start(): AsyncGenerator<StreamEvent, T, undefined> {
    const link = linkSignals(this.#callerSignal);
    this.#link = link;
    if (link.signal.aborted) throw link.signal.reason;
    link.signal.addEventListener('abort', () => {
      this.#aborted = true;
      // A consumer that is busy elsewhere must not keep an aborted call, and the money held for it, alive.
      if (!this.#pending && !this.#ended) void this.#close(link.signal.reason);
    });
    this.#generator = this.#context.runInAsyncScope(() =>
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
    this.#draining = this.#pull().then(
      (step) => {
        this.#draining = undefined;
        if (step.done === true) return;
        this.#buffer.push(step.value);
        this.#drain();
      },
      (error: unknown) => {
        this.#draining = undefined;
        this.#failure = { error }; // for the reader
      },
    );
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
    if (this.#pending) this.#link?.abort(reason);
    await this.#close(reason);
  }

  /** Runs the source's `finally` blocks, then settles. */
  #close(reason: unknown): Promise<void> {
    this.#closing = this.#closeNow(reason);
    return this.#closing;
  }

  async #closeNow(reason: unknown): Promise<void> {
    const generator = this.#generator;
    this.#link?.abort(reason);
    try {
      await this.#context.runInAsyncScope(() => generator?.return(undefined as never));
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
    this.#leavePassage();
    this.#link?.dispose();
  }
}

function handUp(step: Promise<Step>, outer: StepListener | undefined): Promise<Step> {
  return outer === undefined ? step : step.then(outer.came, outer.failed);
}
