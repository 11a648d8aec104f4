import type { OutcomeTableOptions } from '@synapsekit/router/offline';
import { type CommandArgs, type FlagSpec, UsageError } from './command.ts';
import { numberFlag, textFlag } from './parse-flags.ts';

/** Flags that say how outcomes are read: the same for all commands of `route`. */
export const outcomeFlags: Readonly<Record<'weak' | 'strong' | 'cost' | 'max-score', FlagSpec>> = {
  weak: {
    type: 'string',
    value: 'MODEL',
    help: 'The cheap model of the pair. Default: the cheapest, or the worst',
  },
  strong: { type: 'string', value: 'MODEL', help: 'The strong model of the pair. Default: the best' },
  cost: {
    type: 'string',
    value: 'MODEL=USD,…',
    help: 'Dollars per call of models whose outcomes do not say.',
  },
  'max-score': { type: 'string', value: 'N', help: 'What a perfect answer scores. Default: 1' },
};

/** The pair and the costs. */
export function tableOptions(args: CommandArgs): Pick<OutcomeTableOptions, 'weak' | 'strong' | 'costsUsd'> {
  const text = textFlag(args, 'cost');
  return {
    weak: textFlag(args, 'weak'),
    strong: textFlag(args, 'strong'),
    ...(text !== undefined && { costsUsd: Object.fromEntries(text.split(',').map(costOf)) }),
  };
}

/** How the file is read. */
export function readOptions(args: CommandArgs): { readonly maxScore?: number } {
  const maxScore = numberFlag(args, 'max-score', { min: 0, integer: false });
  if (maxScore === 0) throw new UsageError('--max-score must be above 0.');
  return maxScore === undefined ? {} : { maxScore };
}

/** The one file that a command takes. */
export function fileArgument({ positionals }: CommandArgs, command: string): string {
  const [file, ...more] = positionals;
  if (file === undefined) throw new UsageError(`synapsekit ${command} needs a file of outcomes.`);
  if (more.length > 0)
    throw new UsageError(`synapsekit ${command} takes one file, got ${positionals.length}.`);
  return file;
}

/** A seed: a whole number that fits 32 bits. */
export function seedFlag(args: CommandArgs): number {
  const seed = numberFlag(args, 'seed', { min: 0 }) ?? 1;
  if (seed <= 0xffff_ffff) return seed;
  throw new UsageError(`--seed must be at most ${0xffff_ffff}, got ${seed}.`);
}

function costOf(part: string): readonly [string, number] {
  const at = part.lastIndexOf('=');
  const value = /^\d*\.?\d+(e-?\d+)?$/.test(part.slice(at + 1)) ? Number(part.slice(at + 1)) : Number.NaN;
  if (at > 0 && Number.isFinite(value)) return [part.slice(0, at).trim(), value];
  throw new UsageError(`--cost must be MODEL=USD, separated by commas, got "${part}".`);
}
