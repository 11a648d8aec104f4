import type { FoundModel } from './find-model.ts';
import { appliesTo } from './id-pattern.ts';
import { type CompiledOverride, isFor } from './overrides.ts';

/** One way to understand which model was asked for. Both in lower case. */
interface Reading {
  readonly provider: string | undefined;
  readonly id: string;
}

/** An override that answers a question, and as what it understands the question. */
export interface Answer {
  readonly override: CompiledOverride;
  readonly reading: Reading;
}

/**
 * The overrides that answer, best first: those for the id as asked, then those for the model that the table prices
 * it as (a response names a snapshot, an override its family), each in their order. A question without a provider
 * is answered for the part before the first slash, for the provider that the table finds, and by overrides for any
 * provider; where the table knows nothing, also by those of the one provider that has the id.
 */
export function answersFor(
  model: string,
  provider: string | undefined,
  found: FoundModel | undefined,
  overrides: readonly CompiledOverride[],
): Answer[] {
  if (overrides.length === 0) return [];
  const id = model.toLowerCase().trim();
  const name = provider?.toLowerCase().trim() ?? '';
  const asked = name === '' ? readingsOf(id, found) : readingsAt(name, id);
  const listed = found && [{ provider: name || found.provider, id: found.row[0].toLowerCase() }];
  const answers = [...choose(overrides, asked), ...choose(overrides, listed ?? [])];
  if (answers.length > 0 || found !== undefined || name !== '') return answers;

  const fitting = overrides.filter((override) => appliesTo(override.model, id));
  const hosts = new Set(fitting.map((override) => override.provider));
  if (hosts.size !== 1) return [];
  return fitting.map((override) => ({ override, reading: { provider: override.provider, id } }));
}

function choose(overrides: readonly CompiledOverride[], readings: readonly Reading[]): Answer[] {
  return overrides.flatMap((override) => {
    const reading = readings.find((one) => isFor(override, one.provider, one.id));
    return reading === undefined ? [] : [{ override, reading }];
  });
}

function readingsAt(provider: string, id: string): Reading[] {
  const prefix = `${provider}/`;
  const stripped = id.startsWith(prefix) ? [{ provider, id: id.slice(prefix.length) }] : [];
  return [{ provider, id }, ...stripped];
}

function readingsOf(id: string, found: FoundModel | undefined): Reading[] {
  const slash = id.indexOf('/');
  const prefixed = slash > 0 ? [{ provider: id.slice(0, slash), id: id.slice(slash + 1) }] : [];
  const known = found === undefined ? [] : [{ provider: found.provider, id: found.id }];
  return [...prefixed, ...known, { provider: found?.provider, id }];
}
