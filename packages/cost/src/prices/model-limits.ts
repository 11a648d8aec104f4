/** How many tokens a model takes and gives. */
export interface ModelLimits {
  readonly contextWindow?: number | undefined;
  readonly maxOutputTokens?: number | undefined;
}

type Row = readonly [provider: string, limits: ModelLimits, ...models: string[]];

/**
 * Limits that the price table lacks, by its ids.
 * @see https://github.com/BerriAI/litellm `model_prices_and_context_window.json` and https://models.dev
 */
const rows: readonly Row[] = [
  ['groq', { contextWindow: 131_072 }, 'llama-3.1-8b-instant'],
  ['groq', { contextWindow: 131_072, maxOutputTokens: 32_768 }, 'llama-3.3-70b-versatile'],
  ['groq', { maxOutputTokens: 65_536 }, 'openai/gpt-oss-20b', 'openai/gpt-oss-120b'],
  ['openai', { maxOutputTokens: 4_096 }, 'gpt-4o-2024-05-13'],
  ['openai', { maxOutputTokens: 16_384 }, 'gpt-4o', 'gpt-4o-mini'],
  ['openai', { maxOutputTokens: 32_768 }, 'gpt-4.1', 'gpt-4.1-mini', 'gpt-4.1-nano'],
  ['openai', { maxOutputTokens: 100_000 }, 'o3'],
  ['openai', { maxOutputTokens: 128_000 }, 'gpt-5-nano', 'gpt-5.4', 'gpt-5.4-mini', 'gpt-5.5', 'gpt-5.6-sol'],
  ['openai', { maxOutputTokens: 128_000 }, 'gpt-6-luna'],
];

/** What is known about a model of the price table beyond its prices. */
export function findLimits(provider: string, model: string): ModelLimits | undefined {
  return rows.find(([host, , ...models]) => host === provider && models.includes(model))?.[1];
}
