import { createRequire } from 'node:module';
import { BudgetGuard } from '@synapsekit/budget';
import { isSynapseError, parseUsd } from '@synapsekit/core';
import { CostTracker } from '@synapsekit/cost';
import type { SimulatedProvider } from '@synapsekit/testing';
import { Budget, BudgetExceededError as LlmBudgetExceeded, MemoryStore } from 'llm-budget';
import { LLMGuard, BudgetExceededError as SpendGuardExceeded } from 'llm-spend-guard';
import OpenAI from 'openai';
import { claim, type Row } from './claims.ts';
import { bareDime, dimePrices, dimeProvider, guardedDime } from './dime.ts';

// Its ES module names files that are not there (version 1.5.0), so it is loaded as CommonJS.
const { createGuard, BudgetExceededError: CostGuardExceeded }: typeof import('llm-cost-guard') =
  createRequire(import.meta.url)('llm-cost-guard');

const calls = 1_000;
const limitUsd = 5;

const request = {
  model: 'dime',
  messages: [{ role: 'user' as const, content: 'A dime, please.' }],
  max_tokens: 10,
};

/** A way to make a call under a budget, as the package's own README shows it. */
interface Peer {
  readonly name: string;
  readonly how: string;
  start(provider: SimulatedProvider): { call(): Promise<unknown>; isRefusal(error: unknown): boolean };
}

const peers: readonly Peer[] = [
  {
    name: 'llm-spend-guard 2.0.6',
    how: 'guard.wrapOpenAI(client); it limits tokens: 1,100 for 50 calls of 12 + 10',
    start(provider) {
      // It counts in tokens only: what 50 of these calls use.
      const guard = new LLMGuard({ globalBudgetTokens: 50 * tokensOfACall });
      guard.wrapOpenAI(client(provider));
      return {
        call: () => guard.openai.chat(request),
        isRefusal: (error) => error instanceof SpendGuardExceeded,
      };
    },
  },
  {
    name: 'llm-budget 0.2.1',
    how: 'budget.guard(user, call), its quick start',
    start(provider) {
      const budget = newBudget();
      const openai = client(provider);
      return {
        call: () => budget.guard('everybody', () => openai.chat.completions.create(request)),
        isRefusal: (error) => error instanceof LlmBudgetExceeded,
      };
    },
  },
  {
    name: 'llm-budget 0.2.1',
    how: 'budget.guard(user, call, { reserve }), its reservations',
    start(provider) {
      const budget = newBudget();
      const openai = client(provider);
      const reserve = { model: 'dime', inputTokens: 12, outputTokens: 10 };
      return {
        call: () => budget.guard('everybody', () => openai.chat.completions.create(request), { reserve }),
        isRefusal: (error) => error instanceof LlmBudgetExceeded,
      };
    },
  },
  {
    name: 'llm-cost-guard 1.5.0',
    how: 'guard.wrap(client)',
    start(provider) {
      const guard = createGuard({
        budgets: [{ id: 'global', limitUsd, windowMs: 86_400_000 }],
        pricing: { dime: { inputPerMillionUsd: 0, outputPerMillionUsd: 10_000 } },
      });
      const openai = guard.wrap(client(provider));
      return {
        call: () => openai.chat.completions.create(request),
        isRefusal: (error) => error instanceof CostGuardExceeded,
      };
    },
  },
  {
    name: 'our own checkBefore',
    how: 'advisory: it looks and holds nothing',
    start(provider) {
      const tracker = new CostTracker({ prices: dimePrices });
      const guard = new BudgetGuard({ total: limitUsd }, { tracker });
      const llm = bareDime(provider.openaiBaseURL);
      return {
        async call() {
          await guard.checkBefore(0.1);
          const { usage } = await llm.generate('A dime, please.');
          tracker.record('dime', usage);
        },
        isRefusal: (error) => isSynapseError(error, 'budget-exceeded'),
      };
    },
  },
  {
    name: 'our enforceBudget',
    how: 'wrap(llm, enforceBudget(guard), trackCost(tracker))',
    start(provider) {
      const tracker = new CostTracker({ prices: dimePrices });
      const guard = new BudgetGuard({ total: limitUsd }, { tracker });
      const llm = guardedDime(provider.openaiBaseURL, guard, tracker);
      return {
        call: () => llm.generate('A dime, please.'),
        isRefusal: (error) => isSynapseError(error, 'budget-exceeded'),
      };
    },
  },
];

/** What the answer of the provider says that a call used. */
const tokensOfACall = 22;

function client(provider: SimulatedProvider): OpenAI {
  return new OpenAI({ baseURL: provider.openaiBaseURL, apiKey: 'sk-simulated', maxRetries: 0 });
}

function newBudget(): Budget {
  return new Budget({
    store: new MemoryStore(),
    limits: { usd: limitUsd, window: 'month' },
    prices: { dime: { input: 0, output: 10_000 } },
  });
}

/**
 * The same 1,000 calls at once, each peer as its README shows it: how much each lets through. Then again 1,000 one after
 * the other would be refused by all of them: what differs is concurrency alone.
 */
export async function peerBursts(): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const peer of peers) rows.push(await peerBurst(peer));
  return rows;
}

async function peerBurst({ name, how, start }: Peer): Promise<Row> {
  const startMs = performance.now();
  await using provider = await dimeProvider();
  const { call, isRefusal } = start(provider);
  const results = await Promise.allSettled(Array.from({ length: calls }, call));
  await provider.idle();
  const errors = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as unknown] : [],
  );
  const refused = errors.filter(isRefusal).length;
  const bill = provider.bill.totalPico;
  const limit = parseUsd(limitUsd);
  const sent = provider.bill.entries.length;
  const isOurs = name === 'our enforceBudget';
  return {
    scenario: 'the same burst, for comparison',
    subject: name,
    calls,
    admitted: sent,
    refused: calls - sent,
    overshootPico: bill > limit ? bill - limit : 0n,
    falseRefusals: Math.max(0, 50 - sent),
    utilisation: Number(bill) / Number(limit),
    leakedHolds: undefined,
    seconds: (performance.now() - startMs) / 1000,
    claims: isOurs ? [claim('exactly 50 are sent', sent === 50, sent)] : [],
    isPeer: !isOurs,
    note: `${how}${errors.length === refused ? '' : `; ${errors.length - refused} failed otherwise: ${String(errors.find((error) => !isRefusal(error)))}`}${
      refused === calls - sent
        ? ''
        : `; ${refused} callers were told of a refusal, ${calls - sent} of them before anything was sent`
    }`,
  };
}
