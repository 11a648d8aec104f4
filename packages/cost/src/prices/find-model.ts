import { matches } from './match.ts';
import { type RawModel, type RawProvider, readTable } from './price-table.ts';

/** A row of the price table that has a price. */
export interface FoundModel {
  /** Whose price it is. */
  readonly provider: string;
  readonly row: RawModel;
  /** The id by which it was found, in lower case, without its provider: a snapshot, an alias, the row's own. */
  readonly id: string;
}

/** The row for a model; without a provider, or with LiteLLM's name as one, the id alone must tell. */
export function findInTable(
  model: string,
  provider: string | undefined,
  defaultHosts: readonly string[],
): FoundModel | undefined {
  const id = model.toLowerCase().trim();
  const name = provider?.toLowerCase().trim() ?? '';
  if (name === '' || name === 'litellm') return findByIdAlone(id, defaultHosts);
  const found = findProvider(name);
  if (found === undefined) return undefined;
  const prefix = [`${name}/`, `${found[0]}/`].find((start) => id.startsWith(start));
  const asIs = findAtProvider(found, id);
  return asIs !== undefined || prefix === undefined ? asIs : findAtProvider(found, id.slice(prefix.length));
}

/**
 * The table's provider of that name: its id, else the first whose rule takes the name (`"azure_openai"` is OpenAI,
 * `"xai"` is X-AI), as in genai-prices.
 */
function findProvider(name: string): RawProvider | undefined {
  return (
    readTable().find(([provider]) => provider === name) ??
    readTable().find(([, , rule]) => rule !== 0 && matches(rule, name))
  );
}

/** A priced model of this provider, as genai-prices finds it: its own models, then those of its fallbacks. */
function findAtProvider(provider: RawProvider, id: string): FoundModel | undefined {
  const row = findRow(provider, id);
  if (row !== undefined) return row.length === 3 ? undefined : { provider: provider[0], row, id };
  const dashed = dashedDate(id);
  return dashed === id ? undefined : findAtProvider(provider, dashed);
}

/**
 * A priced model by its id alone. The first that knows a price:
 *
 * 1. `provider/model`, where the part before the first slash names a provider: `groq/openai/gpt-oss-20b`.
 * 2. The maker whose naming the id follows, as in genai-prices: `gpt-4o` is OpenAI's, `claude-…` Anthropic's.
 * 3. The default hosts, in their order: `llama-3.1-8b-instant` is Groq's.
 *
 * Anything else is unknown: open models have many hosts at many prices, and picking one would be luck.
 */
function findByIdAlone(id: string, defaultHosts: readonly string[]): FoundModel | undefined {
  return findPrefixed(id) ?? findAtMaker(id) ?? findAtHosts(id, defaultHosts);
}

function findPrefixed(id: string): FoundModel | undefined {
  const slash = id.indexOf('/');
  const provider = slash > 0 ? findProvider(id.slice(0, slash)) : undefined;
  if (provider === undefined) return undefined;
  return findAtProvider(provider, id.slice(slash + 1)) ?? findAtProvider(provider, id);
}

function findAtMaker(id: string): FoundModel | undefined {
  const maker = readTable().find(([, rule]) => rule !== 0 && matches(rule, id));
  return maker && findAtProvider(maker, id);
}

function findAtHosts(id: string, hosts: readonly string[]): FoundModel | undefined {
  for (const host of hosts) {
    const provider = findProvider(host);
    const found = provider && findAtProvider(provider, id);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The first row that takes the id. A row without a price ends the search: a looser rule must not answer for it. */
function findRow([, , , fallbacks, models]: RawProvider, id: string): RawModel | undefined {
  const own = models.find((model) => isMeant(model, id));
  if (own !== undefined || fallbacks.length === 0) return own;
  for (const name of fallbacks) {
    const row = readTable()
      .find(([provider]) => provider === name)?.[4]
      .find((model) => isMeant(model, id));
    if (row !== undefined) return row;
  }
  return undefined;
}

function isMeant([own, rule]: RawModel, id: string): boolean {
  return rule === 0 ? own.toLowerCase() === id : matches(rule, id);
}

/** `gpt-4o-20240513` as `gpt-4o-2024-05-13`, where the eight digits are a date. */
function dashedDate(id: string): string {
  return id.replace(/-(20\d\d)(\d\d)(\d\d)(?=[-:]|$)/g, (whole, year, month, day) => {
    const date = `${year}-${month}-${day}`;
    const ms = Date.parse(`${date}T00:00:00Z`);
    return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(date) ? `-${date}` : whole;
  });
}
