import type { ReserveRequest } from '@synapsekit/core';
import type { Counter } from './counter.ts';

/** One line of a hold. */
export interface HeldLine {
  readonly counter: Counter;
  /** What was asked for in all. */
  total: bigint;
  /** What is still held; after an expiry that books, what it booked and no post has drawn down yet. */
  left: bigint;
}

/** A hold, as one process knows it during a transaction. */
export interface Hold {
  readonly id: string;
  readonly onExpiry: ReserveRequest['onExpiry'];
  /** Undefined where it was closed before it was ever seen. */
  readonly admittedAtMs: number | undefined;
  lines: readonly HeldLine[];
  endsAtMs: number;
  /** `booked`: its expiry has booked what was left, and posts can still draw that down. */
  state: 'live' | 'booked' | 'closed';
  /** Where its row is: none yet, among the live ones, or in a generation of past ones. */
  row: 'none' | 'live' | bigint;
  isDirty: boolean;
}

export function lineText({ lines }: Hold): string {
  let text = '';
  for (const { counter, total, left } of lines) text += `${text && ','}${counter.id}:${total}:${left}`;
  return text;
}

export function heldOn(hold: Hold, counter: Counter): HeldLine | undefined {
  for (const line of hold.lines) if (line.counter === counter) return line;
  return undefined;
}
