import { Groq } from 'groq-sdk';
import { OpenAI } from 'openai';
import type { ServedModel } from './choose-models.ts';
import type { ProviderName } from './models.ts';

/** What providers say of a model, beyond what their SDKs have types for. */
interface ListedModel {
  readonly id: string;
  readonly active?: boolean;
  readonly shutdown_date?: string;
}

const timeoutMs = 10_000;

/** Asks a provider which models it serves: `GET /v1/models`, free of charge. Throws what its SDK throws. */
export async function listModels(provider: ProviderName, signal: AbortSignal): Promise<ServedModel[]> {
  // Reads key and base URL from the same environment variables as the adapters do.
  const settings = { maxRetries: 1, timeout: timeoutMs, logLevel: 'off' } as const;
  const groqHost = process.env.GROQ_BASE_URL?.trim().replace(/\/openai\/v1\/?$/, '');
  const client =
    provider === 'openai'
      ? new OpenAI(settings)
      : new Groq({ ...settings, ...(groqHost && { baseURL: groqHost }) });
  const { data } = await client.models.list({ signal });
  return (data as readonly ListedModel[])
    .filter(({ active }) => active !== false)
    .map(({ id, shutdown_date: shutdownDate }) => ({ id, shutdownDate }));
}
