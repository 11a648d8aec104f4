import type { LLM, LLMConfig } from '@synapsekit/core';
import { GroqLLM } from '@synapsekit/llm-groq';
import { OpenAILLM } from '@synapsekit/llm-openai';

/** The providers of the demo. */
export const providerNames = ['openai', 'groq'] as const;

/** A provider of the demo. */
export type ProviderName = (typeof providerNames)[number];

/** What a model is for in the pipeline. */
export type Role = 'cheap' | 'medium' | 'strong' | 'spare';

/** A model by the provider's own id. */
export interface ModelChoice {
  readonly provider: ProviderName;
  readonly model: string;
}

/** The tutorial's four models. */
export const tutorialModels: Readonly<Record<Role, ModelChoice>> = {
  cheap: { provider: 'groq', model: 'llama-3.1-8b-instant' },
  medium: { provider: 'groq', model: 'llama-3.3-70b-versatile' },
  strong: { provider: 'openai', model: 'gpt-4o' },
  spare: { provider: 'openai', model: 'gpt-4o-mini' },
};

/** How each of them is asked. */
const configs: Readonly<Record<Role, LLMConfig>> = {
  cheap: { temperature: 0.1, maxTokens: 512 },
  medium: { temperature: 0.2, maxTokens: 1024 },
  strong: { temperature: 0.2, maxTokens: 2048 },
  spare: { temperature: 0.1, maxTokens: 1024 },
};

/** Where a provider is, and the key for it. Left out: what its environment variables say. */
interface Endpoint {
  readonly baseURL?: string | undefined;
  readonly apiKey?: string | undefined;
}

/** Where the providers are. */
export type Endpoints = Readonly<Partial<Record<ProviderName, Endpoint>>>;

/** The models, each on the official SDK of its provider. Making them sends nothing. */
export function connectModels(
  choices: Readonly<Record<Role, ModelChoice>>,
  endpoints: Endpoints = {},
): Record<Role, LLM> {
  const connect = (role: Role): LLM => {
    const { provider, model } = choices[role];
    const options = { ...endpoints[provider], model, config: configs[role] };
    return provider === 'groq' ? new GroqLLM(options) : new OpenAILLM(options);
  };
  return {
    cheap: connect('cheap'),
    medium: connect('medium'),
    strong: connect('strong'),
    spare: connect('spare'),
  };
}
