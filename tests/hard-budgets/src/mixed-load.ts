import { BudgetGuard, enforceBudget } from '@synapsekit/budget';
import { isSynapseError, type LedgerStore, type LLM, parseUsd, usdDecimal, wrap } from '@synapsekit/core';
import { CostTracker, trackCost } from '@synapsekit/cost';
import { fallbackChain, retry } from '@synapsekit/resilience';
import { seededRandom } from '@synapsekit/testing';
import { claim, falseRate, type Row, sameAmount } from './claims.ts';
import { Gate } from './gate.ts';
import { Oracle } from './oracle.ts';
import { lastPiece, promptOf, ScriptedProvider } from './scripted-provider.ts';
import { SteppedClock } from './stepped-clock.ts';
import { patienceMs, type Store } from './store.ts';
import { callPico, type ModelName, type PlannedCall, planCalls, worstPico } from './workload.ts';

/** How the mixed load is run. */
export interface MixedLoadOptions {
  readonly calls: number;
  readonly seed: number;
  readonly onExceeded: 'block' | 'queue';
  /** Calls in flight at once. @default 8 */
  readonly concurrency?: number;
  readonly onProgress?: (done: number) => void;
  /** For the test of the proof itself: puts something between guard and ledger. */
  readonly wrapLedger?: (ledger: LedgerStore) => LedgerStore;
}

/** How long somebody who was refused waits before the next call: about as long as a call takes. */
const pauseMs = 8;

/** Where in the calls the days end: the first day stays below its limit, so that calls are in flight at its midnight. */
const daysEnd = [0.35, 0.75];

/** What everything may cost, pico-dollars. */
interface Limits {
  readonly perRequest: bigint;
  readonly perUser: bigint;
  readonly daily: bigint;
  readonly total: bigint;
}

/** So that each of them refuses some, as budgets do that were set with thought: the demand is a little more. */
function limitsFor(calls: readonly PlannedCall[]): Limits {
  const [firstEnd = 0, secondEnd = 0] = daysEnd.map((share) => Math.floor(calls.length * share));
  const demand = (from: number, to: number): bigint =>
    calls.slice(from, to).reduce((sum, call) => sum + callPico(call), 0n);
  const busiest = demand(firstEnd, secondEnd);
  const daily = (busiest * 97n) / 100n;
  return {
    perRequest: 12_000_000_000n, // $0.012: 1,200 tokens of the first model
    perUser: (busiest * 18n) / 1_000n, // the few who ask most want more
    daily,
    total: demand(0, firstEnd) + daily + (demand(secondEnd, calls.length) * 92n) / 100n,
  };
}

/**
 * 20,000 calls of random cost, over three days, 8 at a time, with limits per request, per user,
 * daily and in total.
 */
export async function mixedLoad(store: Store, options: MixedLoadOptions): Promise<Row> {
  const startMs = performance.now();
  const { onExceeded, onProgress, concurrency = 8 } = options;
  const calls = planCalls(options.calls, seededRandom(options.seed));
  const limits = limitsFor(calls);
  const clock = new SteppedClock();
  const gate = new Gate();
  const oracle = new Oracle((counter) => limitOf(counter, limits));
  const chargedTo = new Map<number, readonly string[]>();
  const billedPico = new Map<number, bigint>();
  const provider = new ScriptedProvider(calls, gate, {
    asked(call) {
      // A call that is guarded as a whole stays on the day of its first attempt.
      if (call.guardIs === 'inside' || !chargedTo.has(call.id))
        chargedTo.set(call.id, countersOf(call, clock.day));
      const left = callPico(call) - (billedPico.get(call.id) ?? 0n);
      oracle.admitted(call.id, chargedTo.get(call.id) ?? [], left);
    },
    billed(call, name, amountPico) {
      const before = billedPico.get(call.id) ?? 0n;
      billedPico.set(call.id, before + amountPico);
      const excess = excessOf(call, name, before, amountPico);
      oracle.billed(call.id, chargedTo.get(call.id) ?? [], amountPico, excess);
    },
  });

  const { ledger, close } = await store.place(clock).open();
  const tracker = new CostTracker({ onWarning: () => {} });
  const guard = new BudgetGuard(
    {
      perRequest: usdDecimal(limits.perRequest),
      daily: usdDecimal(limits.daily),
      total: usdDecimal(limits.total),
      by: { userId: { daily: usdDecimal(limits.perUser) } },
    },
    {
      tracker,
      ledger: options.wrapLedger?.(ledger) ?? ledger,
      clock,
      onExceeded,
      queueTimeoutMs: patienceMs,
      ledgerTimeoutMs: patienceMs,
      onWarning: () => {},
    },
  );
  const llmFor = stacks(provider, guard, tracker);

  let admitted = 0;
  let refused = 0;
  let falseRefusals = 0;
  let avoidable = 0;
  const odd: string[] = [];
  const carryOut = async (call: PlannedCall): Promise<void> => {
    let error: unknown;
    try {
      await ask(llmFor(call), call);
    } catch (thrown) {
      error = thrown;
    }
    oracle.ended(call.id);
    if (!isRefusal(error)) {
      admitted += 1;
      if (error !== undefined && !isPlanned(error)) odd.push(String(error));
      return;
    }
    refused += 1;
    judge(call);
    await pause(pauseMs);
  };
  const judge = (call: PlannedCall): void => {
    const own = callPico(call) - (billedPico.get(call.id) ?? 0n);
    const counters = countersOf(call, clock.day);
    if (own > limits.perRequest || !oracle.wouldHaveFit(counters, own)) return;
    falseRefusals += 1;
    const worst = worstPico(call, 'first');
    if (worst <= limits.perRequest && oracle.wouldHaveFit(counters, worst)) avoidable += 1;
  };

  let next = 0;
  const midnights = daysEnd.map((share) => ({ at: Math.floor(calls.length * share), gate: new Gate() }));
  for (const midnight of midnights) midnight.gate.shut();
  const worker = async (): Promise<void> => {
    for (;;) {
      const index = next++;
      const call = calls[index];
      if (call === undefined) return;
      for (const midnight of midnights) if (index >= midnight.at) await midnight.gate.pass();
      await carryOut(call);
      if (index % 250 === 0) onProgress?.(index);
    }
  };
  let crossed = 0;
  const letMidnightsCome = async (): Promise<void> => {
    for (const midnight of midnights) {
      while (next < midnight.at - 4 * concurrency) await pause(1);
      gate.shut();
      // Long enough that nobody who waits for room is being let in just now.
      for (let quiet = 0; quiet < 50; ) {
        await pause(5);
        const { queued } = await guard.status();
        quiet = gate.inside + midnight.gate.inside + queued >= concurrency ? quiet + 1 : 0;
      }
      crossed += gate.inside;
      clock.crossMidnight();
      midnight.gate.open();
      gate.open();
    }
  };
  await Promise.all([letMidnightsCome(), ...Array.from({ length: concurrency }, worker)]);

  await guard.flush();
  const counters = await ledger.counters({ maxCount: 100_000 });
  const leakedHolds = (await ledger.holds()).length;
  const status = await guard.status();
  await guard.dispose();
  await close();

  const names = new Map(counters.map((each) => [counterName(each.key, each.window.id), each.committed]));
  const different = oracle.counters.filter((name) => (names.get(name) ?? 0n) !== oracle.billedOn(name));
  const unknown = counters.filter(({ key, window, committed }) => {
    return committed !== 0n && !oracle.counters.includes(counterName(key, window.id));
  });
  const row: Row = {
    scenario: `${calls.length.toLocaleString('en')} calls of random cost, over two midnights`,
    subject: `${store.name}, ${onExceeded}`,
    calls: calls.length,
    admitted,
    refused,
    overshootPico: oracle.overshootPico,
    falseRefusals,
    utilisation: Number(oracle.billedOn('total')) / Number(limits.total),
    leakedHolds,
    seconds: (performance.now() - startMs) / 1000,
    note: `${avoidable} of them although even their worst case would have fit beside the real costs of the others`,
    claims: [],
  };
  const rate = falseRate(row) ?? 0;
  return {
    ...row,
    claims: [
      claim(
        'nothing is spent above a limit, but by calls that cost more than was held for them',
        row.overshootPico === 0n,
        `$${usdDecimal(row.overshootPico)}; explained: $${usdDecimal(oracle.explainedPico)}`,
      ),
      claim(
        'at most 1 % of the calls that would have fit are refused',
        rate <= 0.01,
        `${(rate * 100).toFixed(2)} %`,
      ),
      sameAmount('the total is what the provider bills', names.get('total') ?? 0n, provider.billPico),
      sameAmount(
        'the tracker has what the provider bills',
        parseUsd(tracker.summary().exact.totalUsd),
        provider.billPico,
      ),
      claim(
        'every counter of every user and day is what the provider bills for it',
        different.length === 0 && unknown.length === 0,
        `${oracle.counters.length} counters, ${different.length} differ: ${different.slice(0, 3).join(', ')}`,
      ),
      claim('calls were in flight at midnight', crossed > 0, crossed),
      claim(
        'every limit refused somebody',
        status.limits.every(({ refusals }) => refusals > 0),
        status.limits
          .map(({ limit, attribute = '', refusals }) => `${limit} ${attribute}: ${refusals}`)
          .join(', '),
      ),
      claim('no hold is left', leakedHolds === 0 && status.holds === 0, leakedHolds),
      claim(
        'every booking arrived',
        status.pendingPosts === 0 && status.failedPosts === 0,
        status.pendingPosts,
      ),
      claim('nothing else went wrong', odd.length === 0, `${odd.length} ${odd[0] ?? ''}`),
    ],
  };
}

/** The counters that a call is charged to. */
function countersOf({ userId }: PlannedCall, day: string): readonly string[] {
  return [`user ${userId} ${day}`, `daily ${day}`, 'total'];
}

/** A key of the guard, in the oracle's words. */
function counterName(key: string, windowId: string): string {
  const [day] = windowId.split('@');
  const user = /userId=([^/]+)\//.exec(key)?.[1];
  if (user !== undefined) return `user ${user} ${day}`;
  return key.endsWith('/total') ? 'total' : `daily ${day}`;
}

function limitOf(counter: string, limits: Limits): bigint {
  if (counter === 'total') return limits.total;
  return counter.startsWith('daily') ? limits.daily : limits.perUser;
}

/** The part of a bill that goes beyond what the guard had to hold for the attempt. */
function excessOf(call: PlannedCall, name: ModelName, before: bigint, amountPico: bigint): bigint {
  const worst = worstPico(call, name);
  const above = (amount: bigint): bigint => (amount > worst ? amount - worst : 0n);
  return above(before + amountPico) - above(before);
}

/** The models of a call: a chain where it may fall over; the guard around all of it, or around each attempt. */
function stacks(
  provider: ScriptedProvider,
  guard: BudgetGuard,
  tracker: CostTracker,
): (call: PlannedCall) => LLM {
  const again = retry({ maxAttempts: 2, baseDelayMs: 1, random: seededRandom(1) });
  const around = (name: ModelName): LLM => wrap(provider.model(name), again, trackCost(tracker));
  const within = (name: ModelName): LLM =>
    wrap(provider.model(name), again, enforceBudget(guard), trackCost(tracker));
  const outside = wrap(fallbackChain([around('first'), around('second')]), enforceBudget(guard));
  const outsideOne = wrap(around('first'), enforceBudget(guard));
  const inside = fallbackChain([within('first'), within('second')]);
  const insideOne = within('first');
  return ({ guardIs, second }) => {
    if (guardIs === 'outside') return second.length > 0 ? outside : outsideOne;
    return second.length > 0 ? inside : insideOne;
  };
}

/** Makes a call, and leaves or aborts it where that is planned. */
async function ask(llm: LLM, call: PlannedCall): Promise<void> {
  const options = { maxTokens: call.maxTokens, attributes: { userId: call.userId } };
  const prompt = promptOf(call);
  if (!call.stream) {
    await llm.generate(prompt, options);
    return;
  }
  const [attempt] = call.first;
  const caller = attempt?.does === 'go-on' ? attempt.caller : undefined;
  const controller = new AbortController();
  for await (const event of llm.stream(prompt, { ...options, signal: controller.signal })) {
    if (caller === undefined || event.type !== 'text' || event.text !== lastPiece) continue;
    if (caller === 'leaves') break;
    controller.abort();
  }
}

/** A budget refused the call, or the last model of it. */
function isRefusal(error: unknown): boolean {
  if (isSynapseError(error, 'budget-exceeded')) return true;
  return isSynapseError(error, 'all-providers-failed') && error.errors.some((each) => isRefusal(each.error));
}

/** A failure that was ordered: of a provider, or an abort. */
function isPlanned(error: unknown): boolean {
  return (
    isSynapseError(error, 'provider') ||
    isSynapseError(error, 'all-providers-failed') ||
    (error instanceof Error && error.name === 'AbortError')
  );
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
