import assert from 'node:assert/strict';
import { setImmediate as nextTurn, setTimeout } from 'node:timers/promises';
import {
  type BudgetExceededError,
  type Clock,
  defineLLM,
  type IdSource,
  isSynapseError,
  type LedgerStore,
  type LLM,
  type LLMMiddleware,
  type PriceLookup,
  type TokenCounter,
  usdDecimal,
} from '@synapsekit/core';
import { ManualClock } from '../manual-clock.ts';
import { sequentialIds } from '../sequential-ids.ts';
import type { CreateLedgerBackend, LedgerBackend } from './ledger-check.ts';

/** Limits of one kind of amount. */
type WindowLimits<Amount> = Readonly<
  Partial<Record<'perRequest' | 'hourly' | 'daily' | 'weekly' | 'monthly' | 'total', Amount>>
> & { readonly rolling?: { readonly windowSeconds: number; readonly limit: Amount } };

/** Limits of money, in US dollars, and of tokens. */
type SpendLimits = WindowLimits<number | string> & { readonly tokens?: WindowLimits<number> };

/** Limits of a guard. */
export type GuardLimits = SpendLimits & { readonly by?: Readonly<Record<string, SpendLimits>> };

/** Attributes of a call. */
type Attributes = Readonly<Record<string, string>>;

/** What the checks ask of a hold. */
export interface HoldUnderTest {
  readonly id: string;
  readonly heldUsd: number;
  run<T>(fn: () => T | Promise<T>): Promise<T>;
  settle(cost: number | string): Promise<void>;
  release(): Promise<void>;
}

/** What the checks ask of a guard. */
export interface GuardUnderTest {
  reserve(
    amountUsd: number | string,
    options?: { readonly signal?: AbortSignal; readonly attributes?: Attributes },
  ): Promise<HoldUnderTest>;
  checkBefore(estimatedUsd: number): Promise<void>;
  status(options?: { readonly attributes?: Attributes }): Promise<{
    readonly holds: number;
    readonly pendingPosts: number;
    readonly queued: number;
    readonly limits: readonly {
      readonly limit: string;
      readonly attribute?: string | undefined;
      readonly committedUsdExact: string;
      readonly heldUsdExact: string;
    }[];
    readonly tokenLimits: readonly {
      readonly limit: string;
      readonly committedTokens: number;
      readonly heldTokens: number;
    }[];
  }>;
  flush(): Promise<void>;
}

/** Options that a guard has to understand. */
export interface GuardSetup {
  readonly ledger: LedgerStore;
  readonly prices: PriceLookup;
  readonly clock: Clock;
  readonly timeZone?: string;
  readonly onExceeded?: 'block' | 'clamp' | 'downgrade' | 'queue' | 'warn';
  readonly queueTimeoutMs?: number;
  readonly thresholds?: readonly number[];
  readonly onThreshold?: (event: {
    readonly limit: string;
    readonly threshold: number;
    readonly window?: string | undefined;
    readonly attributeValue?: string | undefined;
  }) => void;
  readonly cutStreams?: boolean;
  readonly failOpen?: boolean;
  readonly onWarning?: (warning: { readonly code: string }) => void;
  readonly onExpiry?: 'book' | 'release';
  readonly minOutputTokens?: number;
  readonly leaseMs?: number;
  readonly ledgerTimeoutMs?: number;
  /** Counts a prompt exactly, for models whose tokenizer is known. */
  readonly tokenCounter?: false | ((model: { readonly model: string }) => TokenCounter | undefined);
}

/** How to make the guard under test, and its middleware. */
export interface GuardMaker<G extends GuardUnderTest = GuardUnderTest> {
  createGuard(limits: GuardLimits, setup: GuardSetup): G;
  enforceBudget(guard: G, options?: { readonly downgradeTo?: readonly LLM[] }): LLMMiddleware;
}

/** One rule that every guard keeps, on every ledger. */
export interface GuardCheck {
  /** A sentence about behaviour. */
  readonly name: string;
  /** Rejects when the rule is broken. */
  run(maker: GuardMaker, create: CreateLedgerBackend): Promise<void>;
}

/** Noon, so that nothing crosses midnight by accident. */
const noonMs = Date.UTC(2026, 10, 23, 12);

/** A guard's surroundings: a ledger, a clock, prices, and a provider that keeps its own bill. */
export class GuardWorld {
  readonly clock: ManualClock = new ManualClock({ wallMs: noonMs });
  readonly backend: LedgerBackend;
  readonly ledger: LedgerStore;
  readonly provider: BilledProvider;
  readonly #maker: GuardMaker;

  constructor(maker: GuardMaker, backend: LedgerBackend, ledger: LedgerStore) {
    this.#maker = maker;
    this.backend = backend;
    this.ledger = ledger;
    this.provider = new BilledProvider(this.clock);
  }

  guard(limits: GuardLimits, setup: Partial<GuardSetup> = {}): GuardUnderTest {
    const { ledger, clock, provider } = this;
    return this.#maker.createGuard(limits, { ledger, clock, prices: provider.prices, ...setup });
  }

  enforce(guard: GuardUnderTest, options?: { readonly downgradeTo?: readonly LLM[] }): LLMMiddleware {
    return this.#maker.enforceBudget(guard, options);
  }

  /** Waits for `work`, letting the guard's own time pass (its repetitions wait on it). */
  async during<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const watched = work.finally(() => {
      done = true;
    });
    watched.catch(() => {});
    while (!done) await this.#step();
    return watched;
  }

  /** Waits until `condition` holds. */
  async until(condition: () => boolean): Promise<void> {
    for (let turns = 0; !condition(); turns++) {
      if (turns > 1_000) assert.fail('It never came to that.');
      await this.#step();
    }
  }

  async #step(): Promise<void> {
    await this.clock.advance(5);
    if (this.backend.isRemote) await setTimeout(1);
  }

  /** Lets time pass for the guard and for the leases in the ledger. */
  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms);
    await this.backend.advance(ms);
  }

  /** Checks what is spent and held under a limit. */
  async expect(guard: GuardUnderTest, limit: string, committedUsd: string, heldUsd = '0'): Promise<void> {
    const { limits } = await this.during(guard.status());
    const state = limits.find((one) => one.limit === limit);
    assert.deepEqual(
      { limit, committed: state?.committedUsdExact, held: state?.heldUsdExact },
      { limit, committed: committedUsd, held: heldUsd },
    );
  }
}

/** What one token of an answer costs, by model, in pico-dollars. Prompts are free, so that figures are round… */
const picoPerToken: Readonly<Record<string, bigint>> = {
  cheap: 10_000_000n, // $0.00001
  dear: 1_000_000_000n, // $0.001: a hundred tokens are ten cents
  free: 0n,
  reader: 0n,
};
/** …but for one model, of which only the prompt is paid. */
const picoPerPromptToken: Readonly<Record<string, bigint>> = { reader: 1_000_000_000n };

/** A provider without a network: says as many tokens as it is told, and keeps its own bill. */
export class BilledProvider {
  /** What was billed, in pico-dollars. */
  billPico = 0n;
  /** `maxTokens` of each attempt that arrived. */
  readonly asked: (number | undefined)[] = [];
  readonly #clock: Clock;
  readonly #ids = sequentialIds('attempt');

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many attempts arrived. */
  get calls(): number {
    return this.asked.length;
  }

  get billUsd(): string {
    return usdDecimal(this.billPico);
  }

  /** Its price list. */
  readonly prices: PriceLookup = {
    find({ model, provider }) {
      const name = provider === undefined && model.startsWith('test/') ? model.slice(5) : model;
      const perToken = provider === undefined || provider === 'test' ? picoPerToken[name] : undefined;
      if (perToken === undefined) return undefined;
      const perPromptToken = picoPerPromptToken[name] ?? 0n;
      const cost = (tokens: { readonly inputTokens: number; readonly outputTokens: number }): bigint =>
        perPromptToken * BigInt(tokens.inputTokens) + perToken * BigInt(tokens.outputTokens);
      return { provider: 'test', model: name, source: 'a test', costPico: cost, maxCostPico: cost };
    },
  };

  /**
   * A model of it.
   *
   * @param answer how many tokens it says, or what it throws instead; `undefined`: as many as it may.
   */
  model(model: string, answer?: (call: number, signal: AbortSignal | undefined) => unknown): LLM {
    return defineLLM({
      ...this.#identity(model),
      generate: async (_, { maxTokens, signal }) => {
        const call = this.#arrived(maxTokens);
        const said = await answer?.(call, signal);
        const outputTokens = typeof said === 'number' ? said : (maxTokens ?? 100);
        await nextTurn();
        this.#bill(model, outputTokens);
        return { text: 'word', usage: { inputTokens: 1, outputTokens } };
      },
    });
  }

  /** A model that says one word of one token after the other, and bills those that it said. */
  wordByWord(model: string, words: number): LLM {
    const { provider, ...identity } = this.#identity(model);
    return defineLLM({
      provider,
      ...identity,
      generate: () => 'word'.repeat(words),
      stream: (_, { maxTokens }) => this.#words(model, words, maxTokens),
    });
  }

  async *#words(
    model: string,
    words: number,
    maxTokens: number | undefined,
  ): AsyncGenerator<
    string,
    { readonly usage: { readonly inputTokens: number; readonly outputTokens: number } }
  > {
    this.#arrived(maxTokens);
    for (let said = 0; said < words; said++) {
      await nextTurn();
      this.#bill(model, 1);
      yield 'word';
    }
    return { usage: { inputTokens: 1, outputTokens: words } };
  }

  #identity(model: string): { provider: string; model: string; clock: Clock; ids: IdSource } {
    return { provider: 'test', model, clock: this.#clock, ids: this.#ids };
  }

  #arrived(maxTokens: number | undefined): number {
    this.asked.push(maxTokens);
    return this.asked.length;
  }

  #bill(model: string, tokens: number): void {
    this.billPico += (picoPerToken[model] ?? 0n) * BigInt(tokens);
  }
}

/** A check in surroundings of its own. */
export function guardCheck(name: string, body: (world: GuardWorld) => Promise<void>): GuardCheck {
  return {
    name,
    async run(maker, create) {
      const backend = await create();
      const ledger = await backend.open();
      try {
        await body(new GuardWorld(maker, backend, ledger));
      } finally {
        await ledger.dispose();
        await backend.dispose?.();
      }
    },
  };
}

/** The operation has to be refused by a budget. */
export async function expectRefusal(
  operation: Promise<unknown>,
  limit?: string,
): Promise<BudgetExceededError> {
  try {
    await operation;
  } catch (error) {
    if (!isSynapseError(error, 'budget-exceeded')) throw error;
    if (limit !== undefined) assert.equal(error.limit, limit);
    return error;
  }
  return assert.fail('The budget was to refuse.');
}
