import type { TokenCounts } from '@synapsekit/core';
import { type Command, type CommandArgs, UsageError } from './command.ts';
import { numberFlag, textFlag } from './parse-flags.ts';

const tiers: readonly string[] = ['standard', 'default', 'batch', 'flex', 'priority', 'fast'];

/** `synapsekit price` */
export const priceCommand: Command = {
  name: 'price',
  usage: ['price MODEL ... [flags]'],
  about:
    'Looks models up in the price book: "gpt-4o", "groq/llama-3.1-8b-instant". Prices are in US dollars\n' +
    'per million tokens; with token counts, the cost of such a call is printed as well.',
  flags: {
    provider: { type: 'string', short: 'p', value: 'NAME', help: 'Who serves the models.' },
    tier: { type: 'string', value: 'NAME', help: 'Service tier: batch, flex, priority. Default: standard' },
    at: { type: 'string', value: 'DATE', help: 'The day of the price, YYYY-MM-DD (UTC). Default: now' },
    input: { type: 'string', value: 'N', help: 'Input tokens of a call, cached ones included.' },
    cached: { type: 'string', value: 'N', help: 'How many of them are read from the cache.' },
    output: { type: 'string', value: 'N', help: 'Output tokens of the call.' },
    json: { type: 'boolean', help: 'Print JSON, and nothing else, on standard output.' },
  },
  notes: 'Exit codes: 0 all were found, 1 one was not, 2 wrong usage.',
  async run(args, io) {
    if (args.positionals.length === 0)
      throw new UsageError('synapsekit price needs a model, such as gpt-4o.');
    const query = {
      provider: textFlag(args, 'provider'),
      serviceTier: tierOf(args),
      atMs: timeOf(args),
    };
    const usage = usageOf(args);
    const { printPrices } = await import('./print-prices.ts');
    return printPrices({ models: args.positionals, query, usage, json: args.flags.json === true }, io);
  },
};

function usageOf(args: CommandArgs): TokenCounts | undefined {
  const inputTokens = numberFlag(args, 'input', { min: 0 });
  const outputTokens = numberFlag(args, 'output', { min: 0 });
  const cachedInputTokens = numberFlag(args, 'cached', { min: 0 });
  if (inputTokens === undefined && outputTokens === undefined && cachedInputTokens === undefined)
    return undefined;
  if ((cachedInputTokens ?? 0) > (inputTokens ?? 0)) {
    throw new UsageError('--cached tokens are part of --input and cannot be more.');
  }
  return { inputTokens: inputTokens ?? 0, outputTokens: outputTokens ?? 0, cachedInputTokens };
}

/** The price book takes any tier that it does not know as the standard one, as providers name it in many ways. */
function tierOf(args: CommandArgs): string | undefined {
  const tier = textFlag(args, 'tier');
  if (tier === undefined || tiers.includes(tier.toLowerCase())) return tier;
  throw new UsageError(`--tier must be one of ${tiers.join(', ')}, got "${tier}".`);
}

function timeOf(args: CommandArgs): number | undefined {
  const day = textFlag(args, 'at');
  if (day === undefined) return undefined;
  const atMs = /^\d{4}-\d\d-\d\d$/.test(day) ? Date.parse(day) : Number.NaN;
  // The 31st of February is no day, and `Date` makes one in March of it.
  const isDay = !Number.isNaN(atMs) && new Date(atMs).toISOString().startsWith(day);
  if (!isDay) throw new UsageError(`--at must be a day like 2026-11-23, got "${day}".`);
  return atMs;
}
