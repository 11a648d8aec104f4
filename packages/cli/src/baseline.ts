import { join } from 'node:path';
import { formatUsd, parseUsd, usdDecimal } from '@synapsekit/core';
import { type CaseResult, caseKey, type RunResult } from '@synapsekit/eval';
import { UsageError } from './command.ts';
import { fs } from './node-builtins.ts';
import { writeWholeFile } from './whole-file.ts';

/** What a baseline knows of a case. */
interface BaselineCase {
  readonly file?: string | undefined;
  readonly suite?: string | undefined;
  readonly name: string;
  readonly status: string;
  /** Exact, as a decimal string; absent when it was not known. */
  readonly usd?: string | undefined;
}

/** An earlier run to compare with. */
export interface Baseline {
  readonly name: string;
  readonly savedAt: string;
  readonly cases: readonly BaselineCase[];
}

/** How a run compares with a baseline. JSON-safe. */
export interface Comparison {
  readonly baseline: string;
  readonly savedAt: string;
  /** Costs of the cases that both know, exact. */
  readonly beforeUsd: string;
  readonly nowUsd: string;
  /** What got worse, in sentences. */
  readonly regressions: readonly string[];
  /** Names of the cases that the baseline does not have. */
  readonly added: readonly string[];
}

/** What counts as worse. */
export interface ComparisonRules {
  /** By how many percent the cost of a case may rise. */
  readonly tolerancePercent: number;
  /** Cases that are gone, or left out by the file, are no regression. */
  readonly allowRemoved: boolean;
  /** Only some were selected: the others are not gone. @default false */
  readonly onlySome?: boolean | undefined;
}

const format = 'synapsekit-baseline';

/** Where a baseline lies: in the repository, beside what it is a baseline of. */
function pathOf(name: string, cwd: string): string {
  if (!/^[\w.-]+$/.test(name) || name.startsWith('.')) {
    throw new UsageError(
      `The name of a baseline is made of letters, digits, ".", "_" and "-", got "${name}".`,
    );
  }
  return join(cwd, '.synapsekit/baselines', `${name}.json`);
}

/**
 * Reads a baseline.
 *
 * @throws UsageError when there is none, or its file is not one of ours.
 */
export function readBaseline(name: string, cwd: string): Baseline {
  const path = pathOf(name, cwd);
  let text: string;
  try {
    text = fs.readFileSync(path, 'utf8');
  } catch {
    throw new UsageError(`There is no baseline "${name}". synapsekit test --save-baseline ${name} makes it.`);
  }
  const found = parse(text);
  if (found === undefined) {
    throw new UsageError(
      `.synapsekit/baselines/${name}.json is no baseline of this version of synapsekit. Save it anew.`,
    );
  }
  return { name, ...found };
}

function parse(text: string): Omit<Baseline, 'name'> | undefined {
  try {
    const { format: told, version, savedAt, cases } = JSON.parse(text);
    if (told !== format || version !== 1 || typeof savedAt !== 'string' || !Array.isArray(cases))
      return undefined;
    for (const each of cases) {
      if (typeof each.name !== 'string' || typeof each.status !== 'string') return undefined;
      if (each.usd !== undefined) parseUsd(each.usd);
    }
    return { savedAt, cases };
  } catch {
    return undefined;
  }
}

/**
 * Saves a run as a baseline. What did not run is left out.
 *
 * @throws UsageError for a name that is none; what the file system throws.
 */
export function saveBaseline(
  name: string,
  { cases, startedAt }: Pick<RunResult, 'cases' | 'startedAt'>,
  cwd: string,
): void {
  const path = pathOf(name, cwd);
  const kept = cases.filter(hasRun).map(
    ({ file, suite, name: own, status, cost }): BaselineCase => ({
      ...(file !== undefined && { file }),
      ...(suite !== undefined && { suite }),
      name: own,
      status,
      ...(cost.missingCalls === 0 && { usd: cost.usd }),
    }),
  );
  // A line each, in a fixed order: a change shows as what it is.
  const lines = kept
    .sort((a, b) => (caseKey(a) < caseKey(b) ? -1 : 1))
    .map((each) => `    ${JSON.stringify(each)}`)
    .join(',\n');
  fs.mkdirSync(join(cwd, '.synapsekit/baselines'), { recursive: true });
  writeWholeFile(
    path,
    `{\n  "format": "${format}",\n  "version": 1,\n  "savedAt": "${startedAt}",\n  "cases": [\n${lines}\n  ]\n}\n`,
  );
}

/** Compares a run with a baseline: exactly, as a replayed run is compared with another one. */
export function compareWith(
  { name, savedAt, cases: before }: Baseline,
  { cases }: Pick<RunResult, 'cases'>,
  { tolerancePercent, allowRemoved, onlySome = false }: ComparisonRules,
): Comparison {
  const known = new Map(before.map((each) => [caseKey(each), each]));
  const present = new Set(cases.map((each) => caseKey(each)));
  const regressions: string[] = [];
  const added: string[] = [];
  let [beforePico, nowPico] = [0n, 0n];
  for (const each of cases) {
    const old = known.get(caseKey(each));
    if (!hasRun(each)) {
      const left = leftOut(each);
      if (left && old?.status === 'passed' && !allowRemoved)
        regressions.push(`${each.name}: it passed, and is ${left} now`);
      continue;
    }
    if (old === undefined) {
      added.push(each.name);
      continue;
    }
    if (old.status === 'passed' && each.status !== 'passed') regressions.push(`${each.name}: it passed`);
    if (old.usd === undefined) continue;
    if (each.cost.missingCalls > 0) {
      regressions.push(`${each.name}: its cost was known, ${formatUsd(old.usd)}`);
      continue;
    }
    const [was, is] = [parseUsd(old.usd), parseUsd(each.cost.usd)];
    beforePico += was;
    nowPico += is;
    if (isDearer(was, is, tolerancePercent)) regressions.push(`${each.name}: ${change(was, is)}`);
  }
  if (!allowRemoved && !onlySome) {
    for (const [key, { name: gone }] of known) if (!present.has(key)) regressions.push(`${gone}: it is gone`);
  }
  return {
    baseline: name,
    savedAt,
    beforeUsd: usdDecimal(beforePico),
    nowUsd: usdDecimal(nowPico),
    regressions,
    added,
  };
}

/** Nothing that costs something now is always dearer: no share of zero allows it. */
function isDearer(was: bigint, is: bigint, tolerancePercent: number): boolean {
  return is > was && (is - was) * 1_000_000n > was * BigInt(Math.round(tolerancePercent * 10_000));
}

/** Whether there is anything to compare. */
export function hasRun({ status }: Pick<CaseResult, 'status'>): boolean {
  return status !== 'not-run' && status !== 'skipped' && status !== 'todo';
}

/** How the file leaves it out; a case that the run did not come to is another matter. */
function leftOut({ status }: Pick<CaseResult, 'status'>): string | undefined {
  return { skipped: 'skipped', todo: 'to do' }[status as string];
}

function change(was: bigint, is: bigint): string {
  const amounts = `${formatUsd(was)} → ${formatUsd(is)}`;
  if (was === 0n) return amounts;
  const percent = Number(((is - was) * 1_000n) / was) / 10;
  return `${amounts} (${percent >= 0 ? '+' : ''}${percent} %)`;
}

/** For the end of the report. */
export function formatComparison({ baseline, beforeUsd, nowUsd, regressions, added }: Comparison): string {
  const total = change(parseUsd(beforeUsd), parseUsd(nowUsd));
  const fresh = added.length > 0 ? `, ${added.length} new` : '';
  const lines = regressions.slice(0, 50).map((text) => `  worse: ${text}\n`);
  const more = regressions.length > 50 ? `  … and ${regressions.length - 50} more\n` : '';
  return `compared with ${baseline}: ${total}${fresh}${regressions.length === 0 ? ', nothing is worse' : ''}\n${lines.join('')}${more}`;
}
