import type { FinishReason, Generation } from './generation.ts';
import { LazyStream, Passage } from './lazy-stream.ts';
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

/** All events of `inner`, and its answer, one by one: for a source that looks at each of them by hand. */
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

/** Looks on while events are passed on, in the context of the stream that passes them on. */
export interface StreamWatch {
  /** Somebody waits for the next event. What it throws ends the passage, as if `inner` had failed with it. */
  asked?(): void;
  /** An event came, and will be handed out. False: need not be told of more. What it throws, as above. */
  came?(event: StreamEvent): boolean;
  /** Stands between each question and its answer, also when `inner` is closed: to wait less long. */
  wait?<R>(answer: Promise<R>): Promise<R>;
}

/**
 * All events of `inner`, as they are, and its answer: the body of a middleware's stream, at next to no cost per event.
 * Only for a source of `createGenerationStream`, by `yield*`: the events do not come by there, `watch` sees them.
 *
 * ```ts
 * createGenerationStream(async function* (context) {
 *   const generation = yield* passOn(context, next.stream(prompt, { ...options, signal: context.signal }));
 *   return { ...generation, text: generation.text.trim() };
 * });
 * ```
 */
export async function* passOn<T extends Generation>(
  context: StreamContext<T>,
  inner: GenerationStream<T>,
  watch: StreamWatch = {},
): AsyncGenerator<StreamEvent, T, undefined> {
  const events = inner[Symbol.asyncIterator]();
  let ended = false;
  try {
    yield passage(events, watch);
    const generation = await inner.result;
    ended = true;
    return generation;
  } finally {
    if (!ended) {
      await close(events, watch);
      context.partial(inner.result);
    }
  }
}

/** A stream's own sign among its events; none of them to anybody else. */
function passage(events: AsyncIterator<StreamEvent, unknown>, watch: StreamWatch = {}): StreamEvent {
  return new Passage(events, watch) as unknown as StreamEvent;
}

async function close(events: AsyncIterator<unknown, unknown>, watch: StreamWatch = {}): Promise<void> {
  try {
    const closed = events.return?.();
    if (closed !== undefined) await (watch.wait?.(closed) ?? closed);
  } catch {
    // Why it is closed is what counts.
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
 * Like `passOn`, for one of several tries: hands out nothing before the first content, so that a try that fails
 * before it leaves no trace with the consumer.
 */
export async function* relayTry(
  context: StreamContext,
  inner: GenerationStream,
  { onContent, finish }: TryHooks,
): AsyncGenerator<StreamEvent, Generation, undefined> {
  const events = inner[Symbol.asyncIterator]();
  let ended = false;
  try {
    const held: StreamEvent[] = [];
    let begun = false;
    while (!begun) {
      const step = await events.next();
      if (step.done === true) break;
      held.push(step.value);
      begun = isContent(step.value);
    }
    if (begun) onContent();
    yield* held;
    if (begun) yield passage(events);
    const generation = finish(await inner.result);
    ended = true;
    return generation;
  } finally {
    if (!ended) {
      await close(events);
      context.partial(inner.result.then(finish));
    }
  }
}
