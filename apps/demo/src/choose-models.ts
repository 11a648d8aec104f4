import { modelId, type PriceLookup } from '@synapsekit/core';
import { type ModelChoice, type ProviderName, type Role, tutorialModels } from './models.ts';

/** A model that a provider says it serves. */
export interface ServedModel {
  readonly id: string;
  /** Its last day, `YYYY-MM-DD`, where the provider names one. */
  readonly shutdownDate?: string | undefined;
}

/** The models of each provider that can be asked. A provider without an entry cannot. */
export type ServedModels = Readonly<Partial<Record<ProviderName, readonly ServedModel[]>>>;

/** Who plays a role, and why it is not the one that the tutorial names. */
export interface Casting {
  readonly role: Role;
  readonly wanted: ModelChoice;
  readonly chosen: ModelChoice;
  /** Empty when the tutorial's own model plays. */
  readonly reasons: readonly string[];
}

/** Who plays a role when the provider of the tutorial's model cannot be asked. */
const standIns: Readonly<Record<Role, ModelChoice>> = {
  cheap: tutorialModels.spare,
  medium: tutorialModels.spare,
  strong: tutorialModels.medium,
  spare: tutorialModels.cheap,
};

/** Who comes after a model where the price book names nobody, the best first. The first that is served is taken. */
const successors: Readonly<Record<string, readonly string[]>> = {
  'openai gpt-4o': ['gpt-6.1-sol', 'gpt-5.6-sol', 'gpt-6-luna'],
  'openai gpt-4o-mini': ['gpt-6-luna', 'gpt-5.6-luna'],
  'groq llama-3.1-8b-instant': ['openai/gpt-oss-20b'],
  'groq llama-3.3-70b-versatile': ['openai/gpt-oss-120b', 'openai/gpt-oss-20b'],
};

/** Casts every role; `undefined` where nobody can play it. */
export function castRoles(
  served: ServedModels,
  prices: PriceLookup,
  nowMs: number,
): { readonly castings: readonly Casting[]; readonly missing: readonly Role[] } {
  const castings: Casting[] = [];
  const missing: Role[] = [];
  for (const role of Object.keys(tutorialModels) as Role[]) {
    const wanted = tutorialModels[role];
    const wishes = served[wanted.provider] === undefined ? [standIns[role]] : [wanted, standIns[role]];
    const found = wishes
      .map((wish) => ({ wish, ...findServed(wish, served[wish.provider] ?? [], prices, nowMs) }))
      .find(({ chosen }) => chosen !== undefined);
    if (found?.chosen === undefined) {
      missing.push(role);
      continue;
    }
    const absent = found.wish === wanted ? [] : [`${wanted.provider} is not there to serve ${wanted.model}`];
    castings.push({ role, wanted, chosen: found.chosen, reasons: [...absent, ...found.reasons] });
  }
  return { castings, missing };
}

/** The model itself, or the first of those that come after it, that is served and has a price. */
function findServed(
  { provider, model }: ModelChoice,
  served: readonly ServedModel[],
  prices: PriceLookup,
  nowMs: number,
): { readonly chosen: ModelChoice | undefined; readonly reasons: readonly string[] } {
  const reasons: string[] = [];
  const retirement = prices.find({ provider, model, atMs: nowMs })?.retirement;
  const line = [model, retirement?.replacement, ...(successors[`${provider} ${model}`] ?? [])];
  for (const id of new Set(line.filter((each) => each !== undefined))) {
    const obstacle = obstacleTo(id, served, nowMs) ?? priceObstacle(provider, id, prices);
    if (obstacle === undefined) return { chosen: { provider, model: id }, reasons };
    const known = id === model && retirement?.past === true && !obstacle.includes(retirement.on);
    const since = known ? ` (retired on ${retirement.on})` : '';
    reasons.push(`${id} ${obstacle}${since}`);
  }
  return { chosen: undefined, reasons };
}

function obstacleTo(id: string, served: readonly ServedModel[], nowMs: number): string | undefined {
  const entry = served.find((each) => each.id === id);
  if (entry === undefined) return 'is not served';
  const { shutdownDate } = entry;
  const overMs = shutdownDate === undefined ? Number.NaN : Date.parse(shutdownDate) + 86_400_000;
  return nowMs >= overMs ? `was shut down on ${shutdownDate}` : undefined;
}

/** Under a spending cap, a model whose price is not known would be refused anyway. */
function priceObstacle(provider: ProviderName, model: string, prices: PriceLookup): string | undefined {
  return prices.find({ provider, model }) === undefined ? 'has no known price' : undefined;
}

/** The name for people of a choice. */
export function nameOf({ provider, model }: ModelChoice): string {
  return modelId(provider, model);
}

/** The names for people of all choices. */
export function nameModels(choices: Readonly<Record<Role, ModelChoice>>): Readonly<Record<Role, string>> {
  const { cheap, medium, strong, spare } = choices;
  return { cheap: nameOf(cheap), medium: nameOf(medium), strong: nameOf(strong), spare: nameOf(spare) };
}
