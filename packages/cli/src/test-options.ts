import { type CommandArgs, UsageError } from './command.ts';
import { numberFlag, textFlag } from './parse-flags.ts';

/** What `synapsekit test` was asked for. */
export interface TestOptions {
  readonly paths: readonly string[];
  readonly filter: RegExp | undefined;
  readonly concurrency: number;
  readonly timeoutMs: number;
  readonly list: boolean;
  readonly json: boolean;
  readonly noColor: boolean;
}

/** @throws UsageError for a value that makes no sense. */
export function readTestOptions(args: CommandArgs): TestOptions {
  const { positionals, flags } = args;
  return {
    paths: positionals.length > 0 ? positionals : ['.'],
    filter: filterOf(textFlag(args, 'filter')),
    concurrency: numberFlag(args, 'concurrency', { min: 1 }) ?? 4,
    timeoutMs: numberFlag(args, 'timeout-ms', { min: 1 }) ?? 60_000,
    list: flags.list === true,
    json: flags.json === true,
    noColor: flags['no-color'] === true,
  };
}

function filterOf(pattern: string | undefined): RegExp | undefined {
  if (pattern === undefined) return undefined;
  try {
    return new RegExp(pattern, 'u');
  } catch (error) {
    throw new UsageError(`--filter: ${error instanceof Error ? error.message : String(error)}.`);
  }
}
