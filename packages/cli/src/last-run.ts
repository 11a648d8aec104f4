import { join } from 'node:path';
import { type CaseResult, caseKey } from '@synapsekit/eval';
import { UsageError } from './command.ts';
import { fs } from './node-builtins.ts';

const folder = '.synapsekit';
const name = 'last-run.jsonl';
/** So often what has ended is written, in milliseconds; what was paid for is written at once. */
const everyMs = 250;

/** Where the results of a run are kept. */
export function journalPath(cwd: string): string {
  return join(cwd, folder, name);
}

/** What is known of the last run in a folder. */
export interface LastRun {
  readonly startedAt: string;
  /** What it was allowed to spend, exact dollars; absent when nobody said. */
  readonly budgetUsd?: string | undefined;
  /** By `caseKey`, in the order in which they ended. */
  readonly results: ReadonlyMap<string, CaseResult>;
}

/**
 * Keeps the results of a run in `.synapsekit/last-run.jsonl` while it goes on: whatever ends the process, what has been
 * paid for is there, for `--resume` and `--only-failed`.
 */
export class RunJournal {
  readonly path: string;
  readonly #cwd: string;
  readonly #now: () => number;
  #lines: string[] = [];
  #writtenMs = Number.NEGATIVE_INFINITY;
  #begun = false;
  #problem: string | undefined;

  constructor(cwd: string, now: () => number) {
    this.#cwd = cwd;
    this.#now = now;
    this.path = journalPath(cwd);
  }

  /** Why results could not be kept, in a sentence; `undefined` when they could. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** A new run begins: what was known of the last one is replaced with the first write. */
  begin({ startedAt, total, budgetUsd }: Omit<LastRun, 'results'> & { readonly total: number }): void {
    this.#lines.push(JSON.stringify({ version: 1, startedAt, total, budgetUsd }));
  }

  /** Keeps a result, if there is one. */
  add(result: CaseResult | undefined): void {
    if (this.#problem !== undefined || result === undefined) return;
    this.#lines.push(JSON.stringify(result));
    const paid = result.cost.calls > 0 || result.cost.missingCalls > 0;
    if (paid || this.#now() - this.#writtenMs > everyMs) this.flush();
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
      this.#problem = `The results could not be kept in ${folder}/${name} (${code}): --resume and --only-failed will not know of this run.`;
    }
  }

  #replace(text: string): void {
    const path = join(this.#cwd, folder);
    fs.mkdirSync(path, { recursive: true });
    // Nobody's repository wants these; tapes and baselines lie elsewhere.
    fs.writeFileSync(join(path, '.gitignore'), `.gitignore\n${name}*\n`);
    const part = `${this.path}.${process.pid}.new`; // two runs may begin at once
    fs.writeFileSync(part, text);
    fs.renameSync(part, this.path);
  }
}

/**
 * The last run in a folder.
 *
 * @throws UsageError when there is none, or its file is not one of ours.
 */
export function readLastRun(cwd: string, flag: string): LastRun {
  let text: string;
  try {
    text = fs.readFileSync(join(cwd, folder, name), 'utf8');
  } catch {
    throw new UsageError(
      `${flag} needs an earlier run, and there is none: ${folder}/${name} cannot be read.`,
    );
  }
  const [head = '', ...lines] = text.trimEnd().split('\n');
  const { version, startedAt, budgetUsd } = parse(head) as Readonly<Record<string, unknown>>;
  if (version !== 1 || typeof startedAt !== 'string') {
    throw new UsageError(
      `${folder}/${name} is no run of this version of synapsekit. Run once without ${flag}.`,
    );
  }
  const results = new Map<string, CaseResult>();
  for (const line of lines) {
    const result = parse(line) as Partial<CaseResult>;
    // The last line of a process that was killed may be cut.
    if (typeof result.name === 'string' && typeof result.status === 'string' && result.cost !== undefined) {
      results.set(caseKey(result), result as CaseResult);
    }
  }
  return { startedAt, ...(typeof budgetUsd === 'string' && { budgetUsd }), results };
}

function parse(line: string): object {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
