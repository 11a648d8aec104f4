import { type Attempt, usdDecimal } from '@synapsekit/core';
import type { CallReport } from './call-report.ts';
import type { Charge } from './charge.ts';
import { clip, textLimits } from './clip.ts';
import { type BoundaryCharge, mergeCharges } from './merge-charges.ts';

/** When an attempt was started, and with which error it ended. */
export interface AttemptNote {
  /** Milliseconds of `performance.now()`. */
  readonly startedMs: number;
  errorCode?: string | undefined;
}

/** What an account knows of its calls. */
export interface CallBooks {
  /** `undefined`: still running. */
  readonly attempts: ReadonlyMap<string, Attempt | undefined>;
  readonly notes: ReadonlyMap<string, AttemptNote>;
  readonly recorded: ReadonlyMap<string, Charge>;
  readonly seen: ReadonlyMap<string, BoundaryCharge>;
  /** Where `startMs` counts from. */
  readonly originMs: number;
}

/** Every call once: attempts with what they cost, in the order of their start, then what was recorded without one. */
export function listCalls({ attempts, notes, recorded, seen, originMs }: CallBooks): readonly CallReport[] {
  if (attempts.size === 0 && recorded.size === 0 && seen.size === 0) return none;
  const charges = new Map<string, Charge>();
  for (const charge of mergeCharges(recorded, seen.values(), attempts)) charges.set(charge.attemptId, charge);
  const calls: CallReport[] = [];
  for (const [attemptId, attempt] of attempts) {
    const charge = charges.get(attemptId);
    charges.delete(attemptId);
    calls.push({ ...ofAttempt(attempt, charge), ...ofNote(notes.get(attemptId), originMs) });
  }
  for (const charge of charges.values()) calls.push(ofCharge(charge));
  return calls;
}

/** Deeper ones are not listed. */
const maxScopes = 20;

const none: readonly never[] = Object.freeze([]);

function ofAttempt(attempt: Attempt | undefined, charge: Charge | undefined): CallReport {
  const cost = charge === undefined ? undefined : ofCharge(charge);
  if (attempt === undefined) return { model: 'unknown', ...cost, outcome: 'running' };
  const { id, provider, outcome, latencyMs, firstTokenMs, usage } = attempt;
  return {
    model: clip(id, textLimits.label),
    provider: clip(provider, textLimits.label),
    outcome,
    latencyMs: Math.round(latencyMs * 10) / 10,
    ...(firstTokenMs !== undefined && { firstTokenMs: Math.round(firstTokenMs * 10) / 10 }),
    ...(usage !== undefined && {
      usage: { inputTokens: usage.inputTokens, outputTokens: usage.outputTokens },
      ...(usage.source === 'estimated' && { estimated: true }),
    }),
    ...(cost !== undefined && { ...cost, model: clip(id, textLimits.label) }),
  };
}

function ofNote(note: AttemptNote | undefined, originMs: number): Partial<CallReport> {
  if (note === undefined) return {};
  const startMs = Math.round((note.startedMs - originMs) * 10) / 10;
  return {
    startMs,
    ...(note.errorCode !== undefined && { errorCode: clip(note.errorCode, textLimits.label) }),
  };
}

function ofCharge({ model, pico, estimated, tokens, scopes }: Charge): CallReport {
  return {
    model: clip(model, textLimits.label),
    ...(tokens !== undefined && { usage: { inputTokens: tokens.input, outputTokens: tokens.output } }),
    ...(estimated && { estimated }),
    ...(pico !== undefined && { usd: usdDecimal(pico) }),
    ...(scopes !== undefined &&
      scopes.length > 0 && {
        scopes: scopes.slice(0, maxScopes).map((scope) => clip(scope, textLimits.label)),
      }),
  };
}
