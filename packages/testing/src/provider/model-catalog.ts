import { compileModel, type ProviderName, type ServedModel, type SimulatedModel } from './model.ts';

/**
 * What a `SimulatedProvider` serves unless told otherwise: the tutorial's four models and the ones that came after
 * them, at list prices of 2026, in the service tiers that OpenAI lists a price for; Groq's flex costs what its
 * ordinary tier does.
 */
export const defaultModels: readonly SimulatedModel[] = [
  {
    provider: 'groq',
    id: 'llama-3.1-8b-instant',
    inputUsdPerMillion: 0.05,
    outputUsdPerMillion: 0.08,
    contextWindow: 131_072,
    maxOutputTokens: 131_072,
  },
  {
    provider: 'groq',
    id: 'llama-3.3-70b-versatile',
    inputUsdPerMillion: 0.59,
    outputUsdPerMillion: 0.79,
    contextWindow: 131_072,
    maxOutputTokens: 32_768,
  },
  {
    provider: 'groq',
    id: 'openai/gpt-oss-20b',
    inputUsdPerMillion: 0.075,
    cachedInputUsdPerMillion: 0.0375,
    outputUsdPerMillion: 0.3,
    contextWindow: 131_072,
    maxOutputTokens: 65_536,
    reasoning: true,
  },
  {
    provider: 'groq',
    id: 'openai/gpt-oss-120b',
    inputUsdPerMillion: 0.15,
    cachedInputUsdPerMillion: 0.075,
    outputUsdPerMillion: 0.6,
    contextWindow: 131_072,
    maxOutputTokens: 65_536,
    reasoning: true,
  },
  {
    provider: 'openai',
    id: 'gpt-4o-mini',
    servedAs: 'gpt-4o-mini-2024-07-18',
    inputUsdPerMillion: 0.15,
    cachedInputUsdPerMillion: 0.075,
    outputUsdPerMillion: 0.6,
    tiers: {
      flex: { inputUsdPerMillion: 0.075, cachedInputUsdPerMillion: 0.0375, outputUsdPerMillion: 0.3 },
      priority: { inputUsdPerMillion: 0.25, cachedInputUsdPerMillion: 0.125, outputUsdPerMillion: 1 },
    },
    contextWindow: 128_000,
    maxOutputTokens: 16_384,
  },
  {
    provider: 'openai',
    id: 'gpt-4o',
    servedAs: 'gpt-4o-2024-08-06',
    inputUsdPerMillion: 2.5,
    cachedInputUsdPerMillion: 1.25,
    outputUsdPerMillion: 10,
    tiers: {
      flex: { inputUsdPerMillion: 1.25, cachedInputUsdPerMillion: 0.625, outputUsdPerMillion: 5 },
      priority: { inputUsdPerMillion: 4.25, cachedInputUsdPerMillion: 2.125, outputUsdPerMillion: 17 },
    },
    contextWindow: 128_000,
    maxOutputTokens: 16_384,
  },
  {
    provider: 'openai',
    id: 'o4-mini',
    servedAs: 'o4-mini-2025-04-16',
    inputUsdPerMillion: 1.1,
    cachedInputUsdPerMillion: 0.275,
    outputUsdPerMillion: 4.4,
    tiers: {
      flex: { inputUsdPerMillion: 0.55, cachedInputUsdPerMillion: 0.1375, outputUsdPerMillion: 2.2 },
      priority: { inputUsdPerMillion: 2, cachedInputUsdPerMillion: 0.5, outputUsdPerMillion: 8 },
    },
    contextWindow: 200_000,
    maxOutputTokens: 100_000,
    reasoning: true,
  },
  {
    provider: 'openai',
    id: 'gpt-6-luna',
    inputUsdPerMillion: 0.1,
    cachedInputUsdPerMillion: 0.01,
    outputUsdPerMillion: 0.5,
    tiers: {
      flex: { inputUsdPerMillion: 0.05, cachedInputUsdPerMillion: 0.005, outputUsdPerMillion: 0.25 },
    },
    contextWindow: 400_000,
    maxOutputTokens: 128_000,
    reasoning: true,
  },
];

/** The models of one server, by provider and id. */
export class ModelCatalog {
  readonly #models: Map<string, ServedModel> = new Map();

  /** `extra` adds to the default models; one with the same provider and id takes the default's place. */
  constructor(extra: readonly SimulatedModel[] = []) {
    for (const model of [...defaultModels, ...extra]) {
      this.#models.set(`${model.provider} ${model.id}`, compileModel(model));
    }
  }

  /** Clients may also ask for the snapshot by its own name. */
  find(provider: ProviderName, id: string): ServedModel | undefined {
    const known = this.#models.get(`${provider} ${id}`);
    return known ?? this.of(provider).find((model) => model.servedAs === id);
  }

  of(provider: ProviderName): readonly ServedModel[] {
    return [...this.#models.values()].filter((model) => model.provider === provider);
  }
}
