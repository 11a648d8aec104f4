import { type CommandArgs, UsageError } from './command.ts';
import { durationFlag, listFlag, numberFlag, textFlag } from './parse-flags.ts';
import { type ReporterSpec, readReporters } from './reporter-spec.ts';

/** What `synapsekit test` was asked for. */
export interface TestOptions {
  readonly paths: readonly string[];
  readonly filter: RegExp | undefined;
  /** Only cases with one of these tags; one that begins with `!` leaves those that have it out. */
  readonly tags: readonly string[];
  readonly onlyFailed: boolean;
  readonly resume: boolean;
  /** The part of the cases to run, from 1. */
  readonly shard: { readonly index: number; readonly count: number } | undefined;
  readonly concurrency: number;
  /** Calls at a time to a provider, by its name or host. */
  readonly perProvider: Readonly<Record<string, number>>;
  readonly timeoutMs: number;
  readonly retry: number;
  readonly trials: number;
  readonly bail: number | undefined;
  readonly seed: number | undefined;
  readonly shuffle: boolean;
  readonly strict: boolean;
  readonly passWithNoCases: boolean;
  readonly list: boolean;
  readonly saveBaseline: string | undefined;
  readonly compare: string | undefined;
  readonly costTolerancePercent: number;
  readonly allowRemoved: boolean;
  readonly reporters: readonly ReporterSpec[];
  readonly noColor: boolean;
}

/** @throws UsageError for a value that makes no sense. */
export function readTestOptions(
  args: CommandArgs,
  env: Readonly<Record<string, string | undefined>>,
): TestOptions {
  const { positionals, flags } = args;
  if (flags.strict === true && flags['no-strict'] === true) {
    throw new UsageError('--strict and --no-strict exclude each other.');
  }
  const retry = numberFlag(args, 'retry', { min: 0 }) ?? 0;
  const trials = numberFlag(args, 'trials', { min: 1 }) ?? 1;
  if (retry > 0 && trials > 1) {
    throw new UsageError(
      '--retry and --trials exclude each other: one says that a single pass is enough, the other that all must pass.',
    );
  }
  return {
    paths: positionals.length > 0 ? positionals : ['.'],
    filter: filterOf(textFlag(args, 'filter')),
    tags: listFlag(args, 'tag'),
    onlyFailed: flags['only-failed'] === true,
    resume: flags.resume === true,
    shard: shardOf(textFlag(args, 'shard')),
    ...concurrencyOf(listFlag(args, 'concurrency')),
    timeoutMs: durationFlag(args, 'timeout') ?? 60_000,
    retry,
    trials,
    bail: bailOf(flags.bail),
    seed: numberFlag(args, 'seed', { min: 0 }),
    shuffle: flags.shuffle === true,
    strict: flags.strict === true || (inCi(env) && flags['no-strict'] !== true),
    passWithNoCases: flags['pass-with-no-cases'] === true,
    list: flags.list === true,
    saveBaseline: textFlag(args, 'save-baseline'),
    compare: textFlag(args, 'compare'),
    costTolerancePercent: numberFlag(args, 'cost-tolerance', { min: 0, integer: false }) ?? 5,
    allowRemoved: flags['allow-removed'] === true,
    reporters: readReporters(listFlag(args, 'reporter'), flags.json === true),
    noColor: flags['no-color'] === true,
  };
}

/** True where a continuous integration says so, as all of them do. */
export function inCi({ CI }: Readonly<Record<string, string | undefined>>): boolean {
  return CI !== undefined && CI !== '' && CI !== 'false' && CI !== '0';
}

function filterOf(pattern: string | undefined): RegExp | undefined {
  if (pattern === undefined) return undefined;
  try {
    return new RegExp(pattern, 'u');
  } catch (error) {
    throw new UsageError(`--filter: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

function shardOf(text: string | undefined): TestOptions['shard'] {
  if (text === undefined) return undefined;
  const [, index, count] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  const shard = { index: Number(index), count: Number(count) };
  if (shard.index >= 1 && shard.index <= shard.count) return shard;
  throw new UsageError(`--shard must be such as 1/4, got "${text}".`);
}

/** `8`, `openai=4`, or both. */
function concurrencyOf(values: readonly string[]): Pick<TestOptions, 'concurrency' | 'perProvider'> {
  let concurrency = 4;
  const perProvider: Record<string, number> = {};
  for (const value of values) {
    const [, provider, amount = ''] = /^(?:([^=\s]+)=)?(\d+)$/.exec(value) ?? [];
    if (!(Number(amount) >= 1) || amount === '') {
      throw new UsageError(`--concurrency must be a whole number >= 1, or such as openai=4, got "${value}".`);
    }
    if (provider === undefined) concurrency = Number(amount);
    else perProvider[provider] = Number(amount);
  }
  return { concurrency, perProvider };
}

function bailOf(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  const bail = /^\d+$/.test(value) ? Number(value) : Number.NaN;
  if (bail >= 1) return bail;
  throw new UsageError(`--bail must be a whole number >= 1, got "${value}".`);
}
