/**
 * What a failure means: one table for breakers, retries and failover. Kinds and reasons: the error semantics of the
 * OpenAI, Groq, Anthropic and Gemini APIs, as their documentation and SDKs have them.
 */
import { isSynapseError, type ProviderErrorKind } from './errors.ts';

/**
 * What an outcome means for the health of a provider.
 * - `"failure"`: it is ill. Counts.
 * - `"throttled"`: it is well and says: slower. Does not count; its rate gate closes for as long as it asks.
 * - `"exhausted"`: our quota or credit there is gone. Does not count; no use asking again soon.
 * - `"neutral"`: says nothing about it (our abort, our bad request, our own refusals).
 */
export type HealthVerdict = 'failure' | 'throttled' | 'exhausted' | 'neutral';

/** What may be done after a failure. */
export interface FailureRule {
  readonly health: HealthVerdict;
  /** May the same model be asked again? */
  readonly retry: boolean;
  /**
   * May another be asked? `"smaller-hold"`: only one that needs less budget; `"larger-context"`: only one with a
   * larger context window; `"other-model"`: any but the same model.
   */
  readonly failover: boolean | 'smaller-hold' | 'larger-context' | 'other-model';
}

const ill: FailureRule = { health: 'failure', retry: true, failover: true };
const ours: FailureRule = { health: 'neutral', retry: false, failover: false };

/** The rule for each kind of `ProviderError`. */
export const failureRules: Readonly<Record<ProviderErrorKind, FailureRule>> = {
  connection: ill,
  server: ill,
  malformed: ill,
  truncated: ill,
  'rate-limit': { health: 'throttled', retry: true, failover: true },
  capacity: { health: 'throttled', retry: true, failover: true },
  quota: { health: 'exhausted', retry: false, failover: true },
  auth: { health: 'neutral', retry: false, failover: true },
  permission: { health: 'neutral', retry: false, failover: true },
  'model-not-found': { health: 'neutral', retry: false, failover: 'other-model' },
  conflict: { health: 'neutral', retry: true, failover: true },
  'context-length': { health: 'neutral', retry: false, failover: 'larger-context' },
  'too-large': { health: 'neutral', retry: false, failover: true },
  'content-filter': ours,
  'bad-request': ours,
};

/** Errors of our own making, refused before anything was sent: another may serve, the same may not. */
const refusedHere: FailureRule = { health: 'neutral', retry: false, failover: true };

/**
 * The rule for any error, also one that no adapter made: network error codes are found along the `cause` chain,
 * unknown errors count as failures that another may make good. Never throws.
 *
 * @param signal the caller's: once it has aborted, every error is an abort, and an abort goes nowhere.
 */
export function failureRule(error: unknown, signal?: AbortSignal): FailureRule {
  if (signal?.aborted === true) return ours;
  if (isSynapseError(error)) {
    if (isSynapseError(error, 'provider') || isSynapseError(error, 'timeout')) {
      const kind = read(error, 'kind');
      const rule = isKind(kind) ? failureRules[kind] : ill;
      return read(error, 'emitted') === true ? { ...rule, retry: false, failover: false } : rule;
    }
    if (isSynapseError(error, 'budget-exceeded')) return { ...refusedHere, failover: 'smaller-hold' };
    // A chain inside a chain: it has been through all its retries.
    if (isSynapseError(error, 'all-providers-failed'))
      return { health: 'failure', retry: false, failover: true };
    if (isSynapseError(error, 'config') || isSynapseError(error, 'stream-abandoned')) return ours;
    // The provider is well; a model that is asked again, or another, may write better.
    if (isSynapseError(error, 'tool-arguments')) return { health: 'neutral', retry: true, failover: true };
    if (isSynapseError(error, 'ledger')) return ours; // a budget that cannot be read refuses: fail closed
    return refusedHere;
  }
  if (isNetworkError(error)) return ill;
  if (nameOf(error) === 'AbortError') return ours; // an abort of somebody's, not ours to make good
  if (isProgrammingError(error)) return { health: 'failure', retry: false, failover: false };
  return { health: 'failure', retry: false, failover: true };
}

function isKind(kind: unknown): kind is ProviderErrorKind {
  return typeof kind === 'string' && Object.hasOwn(failureRules, kind);
}

const networkCodes: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** True when an error, or one of its causes, is a lost or refused connection. Total: survives hostile errors. */
export function isNetworkError(error: unknown): boolean {
  // Deep enough for every SDK; bounded, since chains may be cyclic.
  for (let cause: unknown = error, depth = 0; depth < 10 && isObject(cause); depth++) {
    const code = read(cause, 'code');
    if (networkCodes.has(code) || (typeof code === 'string' && code.startsWith('UND_ERR_'))) return true;
    const message = read(cause, 'message');
    if (nameOf(cause) === 'TypeError' && (message === 'fetch failed' || message === 'terminated'))
      return true;
    cause = read(cause, 'cause');
  }
  return false;
}

const bugs: ReadonlySet<unknown> = new Set(['TypeError', 'ReferenceError', 'SyntaxError', 'RangeError']);

function isProgrammingError(error: unknown): boolean {
  return bugs.has(nameOf(error));
}

function nameOf(error: unknown): unknown {
  return isObject(error) ? read(error, 'name') : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function read(object: object, key: string): unknown {
  try {
    return Reflect.get(object, key);
  } catch {
    return undefined;
  }
}
