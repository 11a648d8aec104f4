import type { LedgerKey, LedgerWindow } from '@synapsekit/core';
import { conflict } from './redis-errors.ts';

/**
 * The name of a counter within the ledger: `c:<bytes of the key>:<key>:<window>`, or `r:…` where the window rolls. Keys
 * and windows are free text, and no two have the same name.
 */
export function counterName({ key, window }: LedgerKey): string {
  const kind = window.lengthMs === undefined ? 'c' : 'r';
  return `${kind}:${Buffer.byteLength(key)}:${plainText(key, 'key')}:${plainText(window.id, 'window')}`;
}

/** When a window ends, or how it rolls, as the scripts read it. */
export function windowShape(window: LedgerWindow): string {
  if (window.lengthMs !== undefined) {
    const { lengthMs, slots } = window;
    if (!Number.isSafeInteger(slots) || slots < 1 || slots > 360)
      throw conflict(`a rolling window has 1 to 360 slots, ${window.id} has ${slots}`);
    const partMs = lengthMs / slots;
    if (!Number.isSafeInteger(partMs) || partMs < 1)
      throw conflict(`the length of ${window.id} is no multiple of its slots`);
    return `r${partMs}:${slots}`;
  }
  const { endsAtMs } = window;
  if (endsAtMs === undefined) return '';
  if (!Number.isFinite(endsAtMs) || endsAtMs < 0 || endsAtMs > 8.64e15)
    throw conflict(`${window.id} ends at ${endsAtMs}, which is no time`);
  return String(Math.ceil(endsAtMs));
}

/** The key and window that a name and a shape stand for. */
export function parseCounter(name: string, shape: string): LedgerKey {
  const bytes = Buffer.from(name);
  const start = bytes.indexOf(58, 2) + 1; // after the second colon
  const length = Number(bytes.toString('latin1', 2, start - 1));
  const key = bytes.toString('utf8', start, start + length);
  const id = bytes.toString('utf8', start + length + 1);
  if (!name.startsWith('r')) return { key, window: shape === '-' ? { id } : { id, endsAtMs: Number(shape) } };
  const [partMs = 0, slots = 1] = shape.slice(1).split(':').map(Number);
  return { key, window: { id, lengthMs: partMs * slots, slots } };
}

/** Refuses text that UTF-8 cannot carry: two of them could become the same name. */
export function plainText(text: string, what: string): string {
  if (!text.isWellFormed()) throw conflict(`the ${what} ${JSON.stringify(text)} is no well-formed text`);
  return text;
}
