import type { StreamEvent } from './stream.ts';

/** An event, or the end. */
export type Step = IteratorResult<StreamEvent, undefined>;

/** Somebody who is told of each step of a stream, in place of awaiting it. */
export interface StepListener {
  came(step: IteratorResult<StreamEvent, unknown>): Step | Promise<Step>;
  failed(error: unknown): Promise<Step>;
}

/**
 * Asks a stream for its next step on behalf of one that passes it on: the listener is told, and what he makes of it is
 * the answer. `undefined`: not now, somebody else wants something of it, too.
 */
export type InnerStream = (listener: StepListener) => Promise<Step> | undefined;

/** An iterator that can be closed. */
export interface ClosableIterator<T> extends AsyncIterator<T, undefined> {
  next(): Promise<IteratorResult<T, undefined>>;
  return(): Promise<IteratorReturnResult<undefined>>;
}

/** What a stream is read through. A stream that passes it on finds its inner workings by it. */
export class StreamReader implements ClosableIterator<StreamEvent> {
  readonly next: () => Promise<Step>;
  readonly return: () => Promise<IteratorReturnResult<undefined>>;
  readonly #inner: InnerStream;

  constructor(inner: InnerStream, next: StreamReader['next'], close: StreamReader['return']) {
    this.#inner = inner;
    this.next = next;
    this.return = close;
  }

  /** The stream behind an iterator; `undefined` for those of somebody else's streams. */
  static innerOf(iterator: object): InnerStream | undefined {
    return #inner in iterator ? iterator.#inner : undefined;
  }
}

/** By hand: the `return` of a generator would wait for the piece that is on its way. */
export function textOnly(events: ClosableIterator<StreamEvent>): ClosableIterator<string> {
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
