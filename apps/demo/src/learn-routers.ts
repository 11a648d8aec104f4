import type { LLM, PriceLookup } from '@synapsekit/core';
import {
  CascadeRouter,
  finished,
  type GainModel,
  LearnedRouter,
  LLMClassifier,
  learnedVerifier,
  logOutcomes,
  notRefused,
  type OutcomeRow,
  Router,
} from '@synapsekit/router';
import { trainRouterModel } from '@synapsekit/router/offline';
import { inOrder } from './in-order.ts';
import { isRight, type MadeUpQuestion } from './made-up-questions.ts';

/** The models that are routed between. */
export type RoutedModels = Readonly<Record<'cheap' | 'medium' | 'strong', LLM>>;

/**
 * Logs traffic, as one would for a week: the cheap model answers, the strong one answers beside it, both are scored. Then
 * trains a router and a verifier on the rows.
 */
export async function learnFromTraffic(
  { cheap, strong }: RoutedModels,
  questions: readonly MadeUpQuestion[],
  prices: PriceLookup,
  signal: AbortSignal,
): Promise<{ readonly model: GainModel; readonly rows: readonly OutcomeRow[] }> {
  const byText = new Map(questions.map((question) => [question.text, question]));
  const rows: OutcomeRow[] = [];
  const log = logOutcomes({
    to: { append: async (row) => void rows.push(row) },
    shadow: {
      share: 1,
      models: [strong],
      maxConcurrent: 8,
      maxQueued: questions.length,
      score: ({ text }, { prompt }) => {
        const question = byText.get(String(prompt));
        return question === undefined ? undefined : Number(isRight(question, text));
      },
    },
    prices,
  });
  const router = new Router({
    classifier: { classify: async () => ({ complexity: 'simple' }) },
    routes: { simple: cheap, medium: cheap, complex: cheap },
    prices,
    policies: [log],
  });
  await inOrder(
    questions,
    8,
    ({ text }) => router.generate(text, { signal }),
    () => {},
  );
  await log.flush();
  const model = await trainRouterModel(rows, { weak: cheap.id, strong: strong.id, signal });
  return { model, rows };
}

/** The tutorial's table, a router that reads the prompt, and one that reads the cheap answer. */
export function routersOf(
  { cheap, medium, strong }: RoutedModels,
  model: GainModel,
  prices: PriceLookup,
): Readonly<Record<'table' | 'learned' | 'cascade', LLM>> {
  return {
    table: new Router({
      classifier: new LLMClassifier({ llm: cheap }),
      routes: { simple: cheap, medium, complex: strong },
      prices,
    }),
    // A dollar is to buy 200 right answers more. What calls cost stands in the model.
    learned: new LearnedRouter({
      model,
      llms: { [cheap.id]: cheap, [strong.id]: strong },
      qualityPerUsd: 200,
    }),
    cascade: new CascadeRouter({
      tiers: [cheap, strong],
      verify: [finished(), notRefused(), learnedVerifier(model.json, { minGain: 0.1 })],
      prices,
    }),
  };
}
