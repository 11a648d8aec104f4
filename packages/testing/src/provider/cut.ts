import type { Clock } from '@synapsekit/core';
import { errorEvent, toRefusal } from './error-event.ts';
import type { FaultCut } from './fault.ts';
import type { Reply } from './reply.ts';
import type { RequestRecord } from './simulated-request.ts';
import { wait, waitForAbort } from './wait.ts';

/** Where an answer is: before the model, before the headers, or so many content deltas sent. */
export type Position = 'arrival' | 'headers' | number;

/** The shape of an answer: a stream of so many content deltas, or one piece. */
export type Shape = { readonly deltas: number } | 'whole';

/** Where a cut comes. An answer in one piece counts as one delta: its first half. */
export function cutPosition({ at, how }: FaultCut, shape: Shape): Position {
  if (at === 'arrival' || at === 'headers') return at;
  // An answer in one piece has no room for an error within: it becomes the error.
  if (shape === 'whole' && how === 'error') return 'headers';
  const deltas = shape === 'whole' ? 1 : shape.deltas;
  if (at === 'content') return 0;
  return Math.min(at === 'midway' ? Math.ceil(deltas / 2) : at, deltas);
}

/**
 * Waits a stall out.
 *
 * @returns whether the answer goes on.
 */
export async function stall({ forMs }: FaultCut, clock: Clock, reply: Reply): Promise<boolean> {
  if (forMs === undefined) await waitForAbort(reply.gone);
  else await wait(clock, forMs, reply.gone);
  return !reply.gone.aborted;
}

/** Breaks off an answer whose headers may or may not be sent. */
export async function breakOff(
  cut: FaultCut,
  shape: Shape,
  reply: Reply,
  record: RequestRecord,
): Promise<void> {
  const streaming = shape !== 'whole' && reply.started;
  if (cut.how === 'reset') return reply.breakOff('reset');
  if (cut.how === 'error' && streaming) {
    const { provider, model } = record;
    await reply.write(errorEvent(provider, toRefusal(cut.error ?? 'server_error', provider, model)));
  }
  // Only a stream can end early and still be a complete HTTP body.
  if (streaming && cut.how !== 'hang-up') return reply.finish('');
  return reply.breakOff('hang-up');
}
