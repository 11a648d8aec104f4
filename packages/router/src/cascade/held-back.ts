import {
  CallTimeoutError,
  isSynapseError,
  type LLM,
  ProviderError,
  type StreamEvent,
  wrap,
} from '@synapsekit/core';

/** Where the events of an answer are kept until somebody may see them. */
export interface Buffer {
  events: readonly StreamEvent[];
}

/**
 * A model that is streamed, and yet answers in one piece: time limits of streams hold, an abort costs what had come, and
 * when it breaks off in the middle another may start over, since nobody has seen anything of it.
 *
 * @param buffer holds the events of the last answer.
 */
export function heldBack(llm: LLM, buffer: Buffer): LLM {
  return wrap(llm, (next) => ({
    provider: next.provider,
    model: next.model,
    id: next.id,
    stream: (prompt, options) => next.stream(prompt, options),
    async generate(prompt, options) {
      const events: StreamEvent[] = [];
      try {
        const stream = next.stream(prompt, options);
        for await (const event of stream) events.push(event);
        const generation = await stream.result;
        buffer.events = events;
        return generation;
      } catch (error) {
        throw unseen(error);
      }
    },
  }));
}

/** The error as it is when nothing had been handed out before it. */
function unseen(error: unknown): unknown {
  if (isSynapseError(error, 'provider') && error.emitted) {
    const { kind, provider, model, status, providerCode, retryAfterMs, requestId, attemptId } = error;
    return new ProviderError(
      error.message,
      { kind, provider, model, status, providerCode, retryAfterMs, requestId, attemptId },
      { cause: error },
    );
  }
  if (isSynapseError(error, 'timeout') && error.emitted) {
    const { phase, timeoutMs, attemptId } = error;
    return new CallTimeoutError(error.message, { phase, timeoutMs, attemptId }, { cause: error });
  }
  return error;
}
