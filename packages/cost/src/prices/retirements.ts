import type { Retirement } from '@synapsekit/core';

type Row = readonly [provider: string, on: string, replacement: string | undefined, ...models: string[]];

/**
 * Models that their provider ends, by the ids that end. A replacement stands here only where the sources agree.
 *
 * - Groq: https://console.groq.com/docs/deprecations (free and developer tiers; an enterprise contract may differ).
 * - OpenAI: https://developers.openai.com/api/docs/deprecations as read in October and November 2026. What it
 *   recommends for gpt-4o, gpt-4.1 and o3 changed in between.
 */
const rows: readonly Row[] = [
  ['groq', '2026-08-16', 'openai/gpt-oss-20b', 'llama-3.1-8b-instant'],
  ['groq', '2026-08-16', 'openai/gpt-oss-120b', 'llama-3.3-70b-versatile'],
  ['openai', '2026-10-23', 'gpt-5.6-sol', 'gpt-4o-2024-05-13'],
  ['openai', '2026-10-23', 'gpt-5.6-luna', 'gpt-4.1-nano', 'gpt-4.1-nano-2025-04-14'],
  ['openai', '2026-12-11', undefined, 'o3', 'o3-2025-04-16'],
  ['openai', '2027-01-14', undefined, 'gpt-4o', 'gpt-4o-2024-08-06', 'gpt-4o-2024-11-20'],
  ['openai', '2027-01-14', 'gpt-6-luna', 'gpt-4o-mini', 'gpt-4o-mini-2024-07-18'],
  ['openai', '2027-01-14', undefined, 'gpt-4.1', 'gpt-4.1-2025-04-14'],
  ['openai', '2027-01-14', 'gpt-6-luna', 'gpt-4.1-mini', 'gpt-4.1-mini-2025-04-14'],
];

const dayMs = 86_400_000;

/** When a model ends. `model` is the id that was asked for, in lower case: a snapshot ends on its own day. */
export interface EndOfModel {
  readonly on: string;
  readonly replacement: string | undefined;
  /** First Unix millisecond (UTC) after its last day. */
  readonly overMs: number;
}

/** The known end of a model. */
export function findEnd(provider: string, model: string): EndOfModel | undefined {
  const row = rows.find(([host, , , ...models]) => host === provider && models.includes(model));
  if (row === undefined) return undefined;
  const [, on, replacement] = row;
  return { on, replacement, overMs: Date.parse(on) + dayMs };
}

/** The same, as prices carry it. */
export function retirementOf({ on, replacement }: EndOfModel, past: boolean): Retirement {
  return Object.freeze({ on, ...(replacement === undefined ? {} : { replacement }), past });
}
