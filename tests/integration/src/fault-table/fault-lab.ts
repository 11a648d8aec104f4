import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { BudgetGuard, enforceBudget } from '@synapsekit/budget';
import { isContent, isSynapseError, type LLM, parseUsd, type TimeLimits, wrap } from '@synapsekit/core';
import { CostTracker, trackCost } from '@synapsekit/cost';
import { GroqLLM } from '@synapsekit/llm-groq';
import { OpenAILLM } from '@synapsekit/llm-openai';
import { type BreakerStats, breakOn, CircuitBreaker, fallbackChain, retry } from '@synapsekit/resilience';
import { type FaultTarget, ManualClock, SimulatedProvider } from '@synapsekit/testing';
import type { AdapterName, Extent, FaultCase, Mode, Seen } from './fault-case.ts';
import { faultOf } from './order.ts';

const models = { openai: 'gpt-4o-mini', groq: 'llama-3.1-8b-instant' } as const;
const prompt = 'Explain the difference between TCP and UDP.';
const whole = 'TCP keeps order and sends again what was lost; UDP does neither.';

/** Runs one cell of the table against the whole stack, several times over, and says what is seen. */
export async function observe(row: FaultCase, adapter: AdapterName, mode: Mode): Promise<Seen> {
  await using simulated = await SimulatedProvider.start({ answers: () => whole });
  const lab = new Lab(simulated, row, adapter, mode);
  const once = await lab.once();
  return { ...once, retried: await lab.isRetried(), failover: await lab.failsOver() };
}

interface Stack {
  readonly llm: LLM;
  readonly tracker: CostTracker;
  readonly guard: BudgetGuard;
  readonly breaker: CircuitBreaker;
}

/** One call, and what its caller does when everything stops. */
interface Call {
  readonly onDelta: (count: number) => void;
  readonly abort: AbortController;
}

class Lab {
  readonly #simulated: SimulatedProvider;
  readonly #row: FaultCase;
  readonly #adapter: AdapterName;
  readonly #mode: Mode;

  constructor(simulated: SimulatedProvider, row: FaultCase, adapter: AdapterName, mode: Mode) {
    this.#simulated = simulated;
    this.#row = row;
    this.#adapter = adapter;
    this.#mode = mode;
  }

  /** One attempt: what the caller sees, what the breaker counts, what is billed and booked. */
  async once(): Promise<Omit<Seen, 'retried' | 'failover'>> {
    const wholeTokens = await this.#wholeBill();
    const clock = new ManualClock();
    const { llm, tracker, guard, breaker } = this.#stack(this.#adapter, 1, clock);
    const caller = await this.#run(llm, clock, { times: 1 });
    await this.#simulated.idle();
    await guard.flush();
    const { bill, requests } = this.#simulated;
    const sent = this.#row.order === 'refuse-connections' ? 0 : 1;
    assert.equal(requests.length, sent, 'the SDK sent it again');

    const booked = tracker.recent[0];
    const trackerPico = parseUsd(tracker.totalUsdExact);
    const [committed, held] = await moneyOf(guard);
    assert.equal(held, 0n, 'something is still held');
    // However little a client can know: what is billed never slips past the budget.
    assert.ok(committed >= bill.totalPico, `the guard booked ${committed} of ${bill.totalPico}`);
    const [billed] = bill.entries;
    const extent = (outputTokens: number): Extent =>
      outputTokens === 0 ? 'input' : outputTokens < wholeTokens ? 'input + part' : 'all';
    const comparison =
      trackerPico === bill.totalPico ? 'as billed' : trackerPico < bill.totalPico ? 'less' : 'more';
    return {
      caller,
      breaker: verdictOf(breaker.stats()),
      billed: billed === undefined ? 'nothing' : extent(billed.outputTokens),
      tracker:
        booked === undefined
          ? 'nothing'
          : `${extent(booked.usage.outputTokens)}, ${booked.estimated ? 'estimated' : 'actual'}, ${comparison}`,
      guard: committed === trackerPico ? 'same' : this.#assertHeld(llm, committed),
    };
  }

  /** Whether `retry()` asks again. */
  async isRetried(): Promise<boolean> {
    const clock = new ManualClock();
    let retries = 0;
    const { llm } = this.#stack(this.#adapter, 2, clock, () => (retries += 1));
    const recovers = this.#row.limits === undefined && this.#row.order !== 'refuse-connections';
    const caller = await this.#run(llm, clock, { times: recovers ? 1 : 9 });
    if (retries > 0 && recovers) assert.equal(caller, 'answer');
    return retries > 0;
  }

  /** Whom a chain asks instead. */
  async failsOver(): Promise<Seen['failover']> {
    const other = this.#adapter === 'openai' ? 'groq' : 'openai';
    const larger = await this.#asks(other, { contextWindow: 10_000_000 });
    if (!larger) return 'no';
    if (!(await this.#asks(other, { contextWindow: 1_000 }))) return 'a larger window';
    return (await this.#asks(this.#adapter, {})) ? 'yes' : 'another model';
  }

  async #asks(second: AdapterName, capabilities: { readonly contextWindow?: number }): Promise<boolean> {
    const clock = new ManualClock();
    const first = this.#stack(this.#adapter, 1, clock);
    const next = this.#stack(second, 1);
    const chain = fallbackChain([first.llm, { ...next.llm, capabilities }]);
    await this.#run(chain, clock, { times: 1, provider: this.#adapter });
    const { successes, failures, neutral } = next.breaker.stats();
    return successes + failures + neutral > 0;
  }

  /** Output tokens of the answer when all goes well. */
  async #wholeBill(): Promise<number> {
    await this.#stack(this.#adapter, 1).llm.generate(prompt);
    const tokens = this.#simulated.bill.entries[0]?.outputTokens ?? 0;
    assert.ok(tokens > 10);
    this.#simulated.reset();
    return tokens;
  }

  #stack(adapter: AdapterName, maxAttempts: number, clock?: ManualClock, onRetry?: () => void): Stack {
    const tracker = new CostTracker({ onWarning: () => {} });
    const guard = new BudgetGuard({ perRequest: 1, total: 100 }, { tracker });
    const breaker = new CircuitBreaker({ name: adapter, failureThreshold: 100 });
    const limits: TimeLimits = clock === undefined ? {} : (this.#row.limits ?? {});
    const options = {
      model: models[adapter],
      apiKey: 'any',
      config: { maxTokens: 500, trackTokens: true, ...limits },
      ...(clock !== undefined && { clock }),
      ...(clock !== undefined && this.#stallsWithoutWord && { fetch: watchedFetch(() => this.#stalled()) }),
    };
    const model =
      adapter === 'openai'
        ? new OpenAILLM({ ...options, baseURL: this.#simulated.openaiBaseURL })
        : new GroqLLM({ ...options, baseURL: this.#simulated.groqBaseURL });
    const again = retry({ maxAttempts, baseDelayMs: 1, jitter: 0, ...(onRetry && { onRetry }) });
    const llm = wrap(model, again, enforceBudget(guard), breakOn(breaker), trackCost(tracker));
    return { llm, tracker, guard, breaker };
  }

  /** The answer begins, but for its first word. */
  get #stallsWithoutWord(): boolean {
    return this.#row.stallsAfter === 0;
  }

  #stalled: () => void = () => {};

  /** Calls once under the fault, and puts into words what comes of it. */
  async #run(llm: LLM, clock: ManualClock, target: FaultTarget): Promise<string> {
    const { order, stallsAfter, caller } = this.#row;
    const abort = new AbortController();
    // Time passes, or the caller acts, only once everything has stopped: nothing depends on how fast this machine is.
    const stop = (): void => {
      if (caller === 'aborts') abort.abort();
      else if (this.#row.limits !== undefined) void turns().then(() => clock.advance(1_000_000));
    };
    this.#stalled = () => void turns().then(stop);
    const waits = this.#row.limits !== undefined || caller !== undefined;
    const atArrival = waits && (stallsAfter === undefined || (this.#mode === 'generate' && stallsAfter > 0));
    const where = (): boolean => {
      if (atArrival) void turns().then(stop);
      return true;
    };
    const fault = faultOf(order);
    await using _closed = fault === undefined ? this.#simulated.refuseConnections() : undefined;
    using _ordered = fault === undefined ? undefined : this.#simulated.fail(fault, { ...target, where });
    const onDelta = (count: number): void => {
      if (waits && stallsAfter !== undefined && stallsAfter > 0 && count === stallsAfter) stop();
    };
    return await this.#call(llm, { abort, onDelta });
  }

  async #call(llm: LLM, { abort, onDelta }: Call): Promise<string> {
    const { signal } = abort;
    const { caller, stallsAfter } = this.#row;
    let emitted = false;
    try {
      if (this.#mode === 'generate') {
        await llm.generate(prompt, { signal });
        return 'answer';
      }
      let deltas = 0;
      for await (const event of llm.stream(prompt, { signal })) {
        if (!isContent(event)) continue;
        emitted = true;
        deltas += 1;
        if (caller === 'leaves' && deltas === stallsAfter) return 'what came until then';
        onDelta(deltas);
      }
      return 'answer';
    } catch (error) {
      if (signal.aborted) {
        assert.equal(error, signal.reason);
        return 'its own `signal.reason`';
      }
      return describe(error, emitted);
    }
  }

  /** @throws AssertionError when it is not the worst case of the call that the guard booked. */
  #assertHeld(llm: LLM, committed: bigint): 'held' {
    assert.equal(committed, llm.quoteHold?.(prompt, {})?.pico);
    return 'held';
  }
}

async function moneyOf(guard: BudgetGuard): Promise<[committed: bigint, held: bigint]> {
  const { limits, holds } = await guard.status();
  assert.equal(holds, 0);
  const total = limits.find(({ limit }) => limit === 'total');
  assert.ok(total);
  return [parseUsd(total.committedUsdExact), parseUsd(total.heldUsdExact)];
}

function verdictOf({ successes, failures, neutral, state }: BreakerStats): Seen['breaker'] {
  assert.equal(successes + failures + neutral, state === 'OPEN' ? successes + failures + neutral : 1);
  if (state === 'OPEN') return 'opens';
  return successes > 0 ? 'success' : failures > 0 ? 'failure' : 'neutral';
}

/** An error in the words of the page. */
function describe(error: unknown, emitted: boolean): string {
  const after = emitted ? ', emitted' : '';
  if (isSynapseError(error, 'provider')) {
    assert.equal(error.emitted, emitted);
    const wait = error.retryAfterMs === undefined ? '' : `, wait ${error.retryAfterMs / 1_000} s`;
    const status = error.status === undefined ? '' : ` ${error.status}`;
    return `\`${error.name}\` ${error.kind}${status}${wait}${after}`;
  }
  if (isSynapseError(error, 'all-providers-failed')) return 'nobody is left to ask';
  if (isSynapseError(error, 'timeout')) {
    assert.equal(error.emitted, emitted);
    return `\`${error.name}\` ${error.phase}${after}`;
  }
  throw error;
}

/** What has come is read, parsed and handed on. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await nextTurn();
}

/** The real `fetch`, which says when the answer's head and first bytes have come. */
function watchedFetch(onBegun: () => void): typeof globalThis.fetch {
  return async (...request) => {
    const response = await fetch(...request);
    const isStream = response.headers.get('content-type')?.includes('event-stream') === true;
    if (!isStream) onBegun();
    const { body } = response;
    if (!isStream || body === null) return response;
    const watched = body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(bytes, controller) {
          controller.enqueue(bytes);
          onBegun();
        },
      }),
    );
    return new Response(watched, response);
  };
}
