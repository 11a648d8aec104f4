import { PriceBook } from '@synapsekit/cost';
import { type Casting, castRoles, nameOf, type ServedModel } from './choose-models.ts';
import { listModels } from './list-models.ts';
import { type ModelChoice, type ProviderName, providerNames, type Role } from './models.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

const keys: Readonly<Record<ProviderName, { readonly key: string; readonly baseURL: string }>> = {
  openai: { key: 'OPENAI_API_KEY', baseURL: 'OPENAI_BASE_URL' },
  groq: { key: 'GROQ_API_KEY', baseURL: 'GROQ_BASE_URL' },
};

const keysNeeded = `--live needs a key: set OPENAI_API_KEY (https://platform.openai.com/api-keys, begins with "sk-"),
GROQ_API_KEY (https://console.groq.com/keys, begins with "gsk_", free for personal use), or both.
Without --live the demo needs none.`;

/** What is known of the real providers before the first call. */
export interface LiveCast {
  readonly providers: readonly ProviderState[];
  readonly castings: readonly Casting[];
  readonly choices: Readonly<Record<Role, ModelChoice>>;
}

/** Whether a provider can be asked. */
interface ProviderState {
  readonly provider: ProviderName;
  readonly served: readonly ServedModel[] | undefined;
  /** For people: how many models, or why none. */
  readonly state: string;
}

/** @throws UsageError without any key. */
export function requireKeys(env: NodeJS.ProcessEnv): void {
  if (providerNames.every((provider) => !hasKey(provider, env))) throw new UsageError(keysNeeded);
}

/**
 * Asks the providers that there are keys for which models they serve, and finds one for every role. Says what it found.
 *
 * @throws UsageError when nobody can play a role.
 */
export async function castLive(
  terminal: Terminal,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<LiveCast> {
  terminal.heading('The models that are served today');
  const providers = await Promise.all(providerNames.map((provider) => askProvider(provider, env, signal)));
  for (const { provider, state, served } of providers) {
    terminal.line(
      `  ${provider.padEnd(8)}${terminal.paint(served === undefined ? 'yellow' : 'reset', state)}`,
    );
  }
  terminal.line();
  const served = Object.fromEntries(
    providers.flatMap((each) => (each.served === undefined ? [] : [[each.provider, each.served] as const])),
  );
  const { castings, missing } = castRoles(served, new PriceBook(), Date.now());
  for (const casting of castings) printCasting(terminal, casting);
  terminal.line();
  if (missing.length > 0) {
    const states = providers.map(({ provider, state }) => `${provider}: ${state}`).join('; ');
    throw new UsageError(`No model that is served can be the ${missing.join(', ')} one (${states}).`);
  }
  const choices = Object.fromEntries(castings.map(({ role, chosen }) => [role, chosen])) as Record<
    Role,
    ModelChoice
  >;
  return { providers, castings, choices };
}

function hasKey(provider: ProviderName, env: NodeJS.ProcessEnv): boolean {
  return (env[keys[provider].key] ?? '').trim() !== '';
}

async function askProvider(
  provider: ProviderName,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<ProviderState> {
  const { key, baseURL } = keys[provider];
  if (!hasKey(provider, env)) return { provider, served: undefined, state: `left out: ${key} is not set` };
  const host = env[baseURL]?.trim();
  const where = host ? `, at ${host}` : '';
  try {
    const served = await listModels(provider, signal);
    return { provider, served, state: `${served.length} models served${where}` };
  } catch (error) {
    signal.throwIfAborted();
    // The SDK's own message may quote the key; status and name do not.
    const { status, name } = error as { readonly status?: number; readonly name?: string };
    const why =
      status === 401
        ? `it refused the key in ${key} (401)`
        : `its models cannot be listed (${status ?? name})`;
    return { provider, served: undefined, state: `left out: ${why}${where}` };
  }
}

function printCasting(terminal: Terminal, { role, wanted, chosen, reasons }: Casting): void {
  const name = nameOf(chosen);
  const replaced = name === nameOf(wanted) ? '' : `in place of ${nameOf(wanted)}`;
  terminal.line(
    `  ${role.padEnd(8)}${terminal.paint('cyan', name.padEnd(26))}${terminal.paint('yellow', replaced)}`,
  );
  for (const reason of reasons) terminal.line(terminal.paint('dim', `          ${reason}`));
}
