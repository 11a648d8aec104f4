import type { TimeLimits } from '@synapsekit/core';
import type { Fault, faults } from '@synapsekit/testing';

/** A fault by the name of its maker, with what the maker is told: `['rateLimited', { retryAfter: 0 }]`. */
export type NamedFault = {
  [K in keyof typeof faults]: readonly [name: K, ...args: Parameters<(typeof faults)[K]>];
}[keyof typeof faults];

/** What goes wrong: faults that a maker makes (several combine), one written out, or a port that is closed. */
export type Order = NamedFault | readonly NamedFault[] | Fault | 'refuse-connections';

export const adapterNames = ['openai', 'groq'] as const;
export type AdapterName = (typeof adapterNames)[number];
const modes = ['generate', 'stream'] as const;
export type Mode = (typeof modes)[number];

/** How much of an answer money stands for. */
export type Extent = 'nothing' | 'input' | 'input + part' | 'all';

/** What one call meets with, in the words of the page. */
export interface Seen {
  /** What the caller gets: `"answer"`, or an error's class with its kind, status, `emitted`. */
  readonly caller: string;
  /** What the circuit breaker makes of it. */
  readonly breaker: 'success' | 'failure' | 'neutral' | 'opens';
  /** Whether `retry()` asks again. */
  readonly retried: boolean;
  /** Whether a `fallbackChain` asks somebody else, and whom. */
  readonly failover: 'yes' | 'no' | 'another model' | 'a larger window';
  /** What the provider bills. */
  readonly billed: Extent;
  /** What the tracker books, how it knows, and how that compares with the bill. */
  readonly tracker: 'nothing' | `${Extent}, ${'actual' | 'estimated'}, ${'as billed' | 'less' | 'more'}`;
  /** What the budget guard books: what the tracker does, or all that was held for the call. */
  readonly guard: 'same' | 'held';
}

/** What the caller does by himself while the provider is silent. */
type CallerAct = 'aborts' | 'leaves';

/** One row of the table: something that goes wrong, and what becomes of a call that meets with it. */
export interface FaultCase {
  /** In plain words. */
  readonly what: string;
  readonly order: Order;
  /** Time limits of the model that is asked. */
  readonly limits?: TimeLimits;
  readonly caller?: CallerAct;
  /** So many pieces of a stream come before everything stops; a time limit or the caller then ends it. */
  readonly stallsAfter?: number;
  /** Only where one of them makes no sense. */
  readonly only?: Mode;
  readonly seen: Expected;
}

/** One for all, by mode, or by adapter. */
export type Expected =
  | Seen
  | { readonly generate: Seen; readonly stream: Seen }
  | { readonly openai: ByMode; readonly groq: ByMode };
type ByMode = Seen | { readonly generate: Seen; readonly stream: Seen };

export interface FaultGroup {
  readonly title: string;
  readonly about: string;
  readonly cases: readonly FaultCase[];
}

/** What is expected of one cell. */
export function expectedOf(expected: Expected, adapter: AdapterName, mode: Mode): Seen {
  const ofAdapter = 'openai' in expected ? expected[adapter] : expected;
  return 'generate' in ofAdapter ? ofAdapter[mode] : ofAdapter;
}

/** The modes in which a case makes sense. */
export function modesOf({ only }: FaultCase): readonly Mode[] {
  return only === undefined ? modes : [only];
}
