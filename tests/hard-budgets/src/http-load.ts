import { BudgetGuard, enforceBudget } from '@synapsekit/budget';
import { type CostRecord, isSynapseError, type LLM, parseUsd, usdDecimal, wrap } from '@synapsekit/core';
import { CostTracker, trackCost } from '@synapsekit/cost';
import { OpenAILLM } from '@synapsekit/llm-openai';
import { fallbackChain, retry } from '@synapsekit/resilience';
import { faults, SimulatedProvider, seededRandom } from '@synapsekit/testing';
import { claim, type Row, sameAmount } from './claims.ts';
import { patienceMs, type Store } from './store.ts';

/** How it is run. */
export interface HttpLoadOptions {
  readonly calls: number;
  readonly seed: number;
}

const concurrency = 32;
const users = 20;
const wordsUntilLeft = 5;

/**
 * The mixed load over the official client and real HTTP: answers below, at and above their hold, streams, retries,
 * failovers, throws, streams that break after five words, and streams that are left or aborted after as many (the provider
 * stalls there, so that both sides know to the token what was sent).
 */
export async function httpLoad(store: Store, { calls, seed }: HttpLoadOptions): Promise<Row> {
  const startMs = performance.now();
  const random = seededRandom(seed);
  const { ledger, close } = await store.place().open();
  await using provider = await SimulatedProvider.start({
    maxRecords: calls * 4,
    random: seededRandom(seed + 1),
    answers: ({ userText }) => {
      const tokens = /say (\d+)/.exec(userText)?.[1];
      return tokens === undefined ? undefined : { text: 'Well.', usage: { outputTokens: Number(tokens) } };
    },
  });
  const often = { times: Number.POSITIVE_INFINITY } as const;
  provider.fail(faults.serverError(), { ...often, model: 'gpt-4o', chance: 0.1 });
  provider.fail(faults.rateLimited({ retryAfter: 0 }), { ...often, chance: 0.05 });
  provider.fail(faults.contentPolicyViolation(), { ...often, chance: 0.03 });
  const says = (what: string) => (request: { readonly body: unknown }) =>
    JSON.stringify(request.body).includes(what);
  provider.fail(faults.hangUpAfter(wordsUntilLeft), { ...often, stream: true, where: says('break off') });
  provider.fail(faults.stall(wordsUntilLeft), { ...often, stream: true, where: says('go on') });

  const tracker = new CostTracker({ onWarning: () => {} });
  const records: CostRecord[] = [];
  tracker.onRecord((record) => records.push(record));
  // Less than what all of them would cost.
  const dailyPico = BigInt(calls) * 500_000_000n;
  const perUserPico = (dailyPico / BigInt(users)) * 2n;
  const guard = new BudgetGuard(
    { perRequest: 0.02, daily: usdDecimal(dailyPico), by: { userId: { daily: usdDecimal(perUserPico) } } },
    { tracker, ledger, ledgerTimeoutMs: patienceMs, onLostCall: 'release', onWarning: () => {} },
  );
  const model = (name: string): LLM =>
    wrap(
      new OpenAILLM({
        model: name,
        config: { trackTokens: true },
        baseURL: provider.openaiBaseURL,
        apiKey: 'sk-simulated',
        attemptIdHeader: 'x-synapsekit-attempt',
      }),
      retry({ maxAttempts: 2, baseDelayMs: 1, random: seededRandom(seed + 2) }),
      enforceBudget(guard),
      trackCost(tracker),
    );
  const llm = fallbackChain([model('gpt-4o'), model('gpt-4o-mini')]);

  let refused = 0;
  const odd: string[] = [];
  const one = async (): Promise<void> => {
    const maxTokens = 40 + Math.floor(random() * 260);
    const kind = random();
    const said = Math.ceil(
      maxTokens * (kind < 0.6 ? 0.1 + random() * 0.85 : kind < 0.7 ? 1 : 1 + random() * 0.2),
    );
    const attributes = { userId: `user-${Math.floor(random() * users)}` };
    const aborts = random() < 0.5;
    try {
      if (kind < 0.75) {
        await llm.generate(`say ${said}`, { maxTokens, attributes });
      } else if (kind < 0.85) {
        await llm.stream('Tell me about tea.', { maxTokens, attributes }).result;
      } else if (kind < 0.9) {
        await llm.stream('Tell me about tea, and break off.', { maxTokens, attributes }).result;
      } else {
        await leave(llm, aborts, { maxTokens, attributes });
      }
    } catch (error) {
      if (isRefusal(error)) refused += 1;
      else if (!isOrdered(error)) odd.push(String(error));
    }
  };
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next++ < calls) await one();
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  await provider.idle();
  await guard.flush();
  const counters = await ledger.counters({ maxCount: 10_000 });
  const leakedHolds = (await ledger.holds()).length;
  await guard.dispose();
  await close();

  const bill = provider.bill.totalPico;
  const sum = (isOfUsers: boolean): bigint =>
    counters
      .filter(({ key }) => key.includes('userId=') === isOfUsers)
      .reduce((all, { committed }) => all + committed, 0n);
  const over = bill - dailyPico - excessOf(provider.requests);
  // A machine under load may lose a connection that both sides thought they could use again: the provider saw nothing.
  const seen = new Set(provider.bill.entries.map(({ attemptId }) => attemptId));
  const answered = records.filter(({ attemptId }) => seen.has(attemptId));
  const tracked = answered.reduce((all, { costUsdExact }) => all + parseUsd(costUsdExact), 0n);
  const cut = provider.bill.entries.filter(({ reason }) => reason === 'cut').length;
  return {
    scenario: `${calls.toLocaleString('en')} calls over HTTP, with the openai SDK`,
    subject: store.name,
    calls,
    admitted: calls - refused,
    refused,
    overshootPico: over > 0n ? over : 0n,
    falseRefusals: undefined,
    utilisation: Number(bill) / Number(dailyPico),
    leakedHolds,
    seconds: (performance.now() - startMs) / 1000,
    note: `${provider.requests.length} requests, ${cut} streams cut midway, ${records.length - answered.length} attempts lost on the way (\`onLostCall: "release"\`)`,
    claims: [
      sameAmount('what is committed is what the provider bills', sum(false), bill),
      sameAmount('so is the sum of all users', sum(true), bill),
      sameAmount('the tracker has the same, beside its estimates of attempts that were lost', tracked, bill),
      claim(
        'nothing is spent above the limit, but what is explained',
        over <= 0n,
        `$${usdDecimal(bill)} of $${usdDecimal(dailyPico)}`,
      ),
      claim('the limit refused somebody', refused > 0, refused),
      claim('streams were cut midway', cut > 0, cut),
      claim('no hold is left', leakedHolds === 0, leakedHolds),
      claim('nothing else went wrong', odd.length === 0, `${odd.length} ${odd[0] ?? ''}`),
    ],
  };
}

/** Pico-dollars for a token of an answer, as the provider charges them. */
const outputPico: Readonly<Record<string, bigint>> = { 'gpt-4o': 10_000_000n, 'gpt-4o-mini': 600_000n };

/** What was billed above what the guard had to hold: for tokens beyond those that the request allowed. */
function excessOf(requests: SimulatedProvider['requests']): bigint {
  let excess = 0n;
  for (const { body, billed } of requests) {
    if (billed === undefined) continue;
    const { max_tokens: allowed } = body as { readonly max_tokens: number };
    const beyond = billed.outputTokens - allowed;
    if (beyond > 0) excess += BigInt(beyond) * (outputPico[billed.model] ?? 0n);
  }
  return excess;
}

/** Reads five pieces, then leaves or aborts. */
async function leave(
  llm: LLM,
  aborts: boolean,
  options: { readonly maxTokens: number; readonly attributes: Readonly<Record<string, string>> },
): Promise<void> {
  const controller = new AbortController();
  let pieces = 0;
  for await (const event of llm.stream('Tell me about tea, and go on.', {
    ...options,
    signal: controller.signal,
  })) {
    if (event.type !== 'text' || ++pieces < wordsUntilLeft) continue;
    if (!aborts) return;
    controller.abort();
  }
}

function isRefusal(error: unknown): boolean {
  if (isSynapseError(error, 'budget-exceeded')) return true;
  return isSynapseError(error, 'all-providers-failed') && error.errors.some((each) => isRefusal(each.error));
}

/** A failure that was ordered: of a provider, or an abort. */
function isOrdered(error: unknown): boolean {
  return (
    isSynapseError(error, 'provider') ||
    isSynapseError(error, 'all-providers-failed') ||
    (error instanceof Error && error.name === 'AbortError')
  );
}
