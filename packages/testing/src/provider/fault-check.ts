import { ConfigError, rejectUnknownKeys, requireNumber } from '@synapsekit/core';
import type { Fault, FaultCut, FaultResponse } from './fault.ts';
import { knownErrors, type WireError } from './provider-error.ts';

/**
 * Refuses a fault that would not do what it says.
 *
 * @throws ConfigError naming the member that is wrong.
 */
export function checkFault(fault: Fault): void {
  rejectUnknownKeys(fault, ['name', 'respond', 'cut', 'omit', 'noise', 'drip', 'headers'], 'Fault');
  const { respond, cut, omit, noise, drip } = fault;
  if (respond !== undefined) checkRespond(respond);
  if (cut !== undefined) checkCut(cut);
  for (const part of omit ?? []) oneOf(part, ['usage', 'finish-reason', 'done'], 'omit');
  if (noise !== undefined) {
    rejectUnknownKeys(noise, ['comments', 'emptyDeltas'], 'noise');
    requireNumber(noise.comments ?? 0, 'noise.comments', { integer: true, min: 0 });
    requireNumber(noise.emptyDeltas ?? 0, 'noise.emptyDeltas', { integer: true, min: 0 });
  }
  if (drip !== undefined) {
    rejectUnknownKeys(drip, ['bytes', 'everyMs'], 'drip');
    requireNumber(drip.bytes, 'drip.bytes', { integer: true, min: 1 });
    requireNumber(drip.everyMs, 'drip.everyMs', { min: 0 });
  }
}

function checkRespond(respond: FaultResponse): void {
  rejectUnknownKeys(respond, ['status', 'headers', 'error', 'body'], 'respond');
  // Below 200 are interim answers, after which clients go on waiting.
  if (respond.status !== undefined) {
    requireNumber(respond.status, 'respond.status', { integer: true, min: 200, max: 599 });
  }
  checkError(respond.error, 'respond.error');
}

function checkCut(cut: FaultCut): void {
  rejectUnknownKeys(cut, ['at', 'how', 'error', 'forMs'], 'cut');
  if (typeof cut.at === 'number') requireNumber(cut.at, 'cut.at', { integer: true, min: 0 });
  else oneOf(cut.at, ['arrival', 'headers', 'content', 'midway'], 'cut.at');
  oneOf(cut.how, ['reset', 'hang-up', 'end', 'error', 'stall'], 'cut.how');
  if (cut.forMs !== undefined) {
    requireNumber(cut.forMs, 'cut.forMs', { min: 0 });
    if (cut.how !== 'stall') {
      throw new ConfigError('cut.forMs goes with how: "stall" only; everything else is final.', {
        option: 'cut.forMs',
      });
    }
  }
  checkError(cut.error, 'cut.error');
}

function checkError(error: string | WireError | undefined, what: string): void {
  if (typeof error === 'string') oneOf(error, knownErrors, what);
}

function oneOf(value: unknown, allowed: readonly string[], what: string): void {
  if (allowed.includes(value as string)) return;
  throw new ConfigError(`${what} must be one of ${allowed.join(', ')}, got ${String(value)}.`, {
    option: what,
  });
}
