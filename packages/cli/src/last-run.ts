import { join } from 'node:path';
import { type CaseResult, caseKey } from '@synapsekit/eval';
import { UsageError } from './command.ts';
import { fs } from './node-builtins.ts';
import type { TestOptions } from './test-options.ts';
import { writeWholeFile } from './whole-file.ts';

type Shard = TestOptions['shard'];

const folder = '.synapsekit';
/** So often what has ended is written, in milliseconds; what was paid for is written at once. */
const everyMs = 250;

/** Shards that run side by side in one folder keep what each of them has paid for. */
function nameOf(shard: Shard): string {
  return shard === undefined ? 'last-run.jsonl' : `last-run.${shard.index}-of-${shard.count}.jsonl`;
}

/** Where the results of a run are kept. */
export function journalPath(cwd: string, shard: Shard): string {
  return join(cwd, folder, nameOf(shard));
}

/** What is known of the last run in a folder. */
export interface LastRun {
  readonly startedAt: string;
  /** What it was allowed to spend, exact dollars; absent when nobody said. */
  readonly budgetUsd?: string | undefined;
  /** Keys of the cases that were to run. Those without a result had not ended when the process did. */
  readonly planned: readonly string[];
  /** Files that could not be loaded, or were not come to: nobody knows which cases are in them. */
  readonly unloaded: readonly string[];
  /** By `caseKey`, in the order in which they ended. */
  readonly results: ReadonlyMap<string, CaseResult>;
  /** What it ended with; absent when it did not come to its end. */
  readonly exitCode?: number | undefined;
}

/** What is known when a run begins. */
interface RunBegin extends Omit<LastRun, 'results' | 'exitCode'> {
  /** What it goes on with: paid for, and kept whatever becomes of this run. */
  readonly results: readonly CaseResult[];
}

/**
 * Keeps the results of a run in `.synapsekit/last-run.jsonl` while it goes on: whatever ends the process, what has been
 * paid for is there, for `--resume` and `--only-failed`.
 */
export class RunJournal {
  readonly path: string;
  readonly #cwd: string;
  readonly #name: string;
  readonly #now: () => number;
  #lines: string[] = [];
  #writtenMs = Number.NEGATIVE_INFINITY;
  #begun = false;
  #problem: string | undefined;

  constructor(cwd: string, { now, shard }: { readonly now: () => number; readonly shard: Shard }) {
    this.#cwd = cwd;
    this.#name = nameOf(shard);
    this.#now = now;
    this.path = journalPath(cwd, shard);
  }

  /** Why results could not be kept, in a sentence; `undefined` when they could. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** A new run begins, in the place of the last one. */
  begin({ startedAt, budgetUsd, planned, unloaded, results }: RunBegin): void {
    this.#lines.push(JSON.stringify({ version: 2, startedAt, budgetUsd, planned, unloaded }));
    for (const result of results) this.#lines.push(JSON.stringify(result));
    this.flush();
  }

  /** Keeps a result. */
  add(result: CaseResult): void {
    if (this.#problem !== undefined) return;
    this.#lines.push(JSON.stringify(result));
    const paid = result.cost.calls > 0 || result.cost.missingCalls > 0;
    if (paid || this.#now() - this.#writtenMs > everyMs) this.flush();
  }

  /** The run has come to its end. */
  end(exitCode: number): void {
    this.#lines.push(JSON.stringify({ exitCode }));
    this.flush();
  }

  /** Writes what is still to be written. Never throws: the run and its report go on. */
  flush(): void {
    if (this.#lines.length === 0 || this.#problem !== undefined) return;
    const text = `${this.#lines.join('\n')}\n`;
    this.#lines = [];
    this.#writtenMs = this.#now();
    try {
      if (!this.#begun) this.#replace(text);
      else fs.appendFileSync(this.path, text);
      this.#begun = true;
    } catch (error) {
      const code = error instanceof Error ? Reflect.get(error, 'code') : error;
      this.#problem = `The results could not be kept in ${folder}/${this.#name} (${code}): --resume and --only-failed will not know of this run.`;
    }
  }

  #replace(text: string): void {
    const path = join(this.#cwd, folder);
    fs.mkdirSync(path, { recursive: true });
    // Nobody's repository wants these; tapes and baselines lie elsewhere.
    fs.writeFileSync(join(path, '.gitignore'), '.gitignore\n/last-run.*\n');
    writeWholeFile(this.path, text);
  }
}

/**
 * The last run in a folder, or its part of it for a shard. An older one never stands for it.
 *
 * @throws UsageError when there is none, when it was another shard, or when its file is not one of ours.
 */
export function readLastRun(cwd: string, flag: string, shard: Shard): LastRun {
  const wanted = nameOf(shard);
  const siblings =
    shard === undefined ? undefined : new RegExp(`^last-run\\.\\d+-of-${shard.count}\\.jsonl$`);
  // The other shards of the same run may have begun later.
  const names = journalNames(cwd).filter((name) => name === wanted || siblings?.test(name) !== true);
  const runs = names.map((name) => ({ name, run: parseRun(readText(join(cwd, folder, name))) }));
  let newest = runs[0];
  for (const each of runs) {
    if ((each.run?.startedAt ?? '') > (newest?.run?.startedAt ?? '')) newest = each;
  }
  if (newest === undefined) {
    throw new UsageError(
      `${flag} needs an earlier run, and there is none: ${folder}/${wanted} cannot be read.`,
    );
  }
  if (newest.run === undefined) {
    throw new UsageError(
      `${folder}/${newest.name} is no run of this version of synapsekit. Run once without ${flag}.`,
    );
  }
  const [, index, count] = /\.(\d+)-of-(\d+)\./.exec(newest.name) ?? [];
  if (newest.name !== wanted && index !== undefined) {
    throw new UsageError(
      `The last run here was a shard, ${index}/${count}. Say --shard ${index}/${count}, or run once without ${flag}.`,
    );
  }
  return newest.run;
}

function journalNames(cwd: string): readonly string[] {
  try {
    return fs.readdirSync(join(cwd, folder)).filter((name) => /^last-run(\.\d+-of-\d+)?\.jsonl$/.test(name));
  } catch {
    return [];
  }
}

function readText(path: string): string {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** `undefined` for what is none of ours. */
function parseRun(text: string): LastRun | undefined {
  const [head = '', ...lines] = text.trimEnd().split('\n');
  const { version, startedAt, budgetUsd, planned, unloaded } = parse(head) as Readonly<
    Record<string, unknown>
  >;
  if (version !== 2 || typeof startedAt !== 'string' || !Array.isArray(planned) || !Array.isArray(unloaded))
    return undefined;
  const results = new Map<string, CaseResult>();
  let exitCode: number | undefined;
  for (const line of lines) {
    const result = parse(line) as Partial<CaseResult> & { readonly exitCode?: unknown };
    if (typeof result.exitCode === 'number') exitCode = result.exitCode;
    // The last line of a process that was killed may be cut.
    if (typeof result.name === 'string' && typeof result.status === 'string' && result.cost !== undefined) {
      results.set(caseKey(result), result as CaseResult);
    }
  }
  return {
    startedAt,
    ...(typeof budgetUsd === 'string' && { budgetUsd }),
    planned,
    unloaded,
    results,
    ...(exitCode !== undefined && { exitCode }),
  };
}

function parse(line: string): object {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
