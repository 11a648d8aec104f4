import { isBad } from '../format-case.ts';
import type { CaseResult, RunResult, SuiteResult } from '../result.ts';
import { escapeXml } from './escape.ts';
import { errorLines, type RunTrouble, troubleLines } from './trouble.ts';

/** What else a report is made of. */
export interface JUnitOptions {
  /** What went wrong outside of the cases: errors of a suite of their own. @default nothing */
  readonly troubles?: readonly RunTrouble[] | undefined;
}

/**
 * A run as JUnit XML, as CI systems read it. Each file (with its suite) is a `testsuite`; costs, calls and tokens are
 * properties of the cases. Cases that did not run are skipped there, with the reason. A run that is not `ok` is never one
 * without failures and errors: where no case, suite or trouble says why, a case of its own does.
 */
export function formatJUnit(result: RunResult, { troubles = [] }: JUnitOptions = {}): string {
  const { cases, suites, startedAt, durationMs } = result;
  const strict = result.failed === cases.filter(isBad).length;
  const groups = new Map<string, CaseResult[]>();
  for (const each of cases) {
    const name = groupName(each);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [each]);
    else group.push(each);
  }
  const blocks: Block[] = [...groups].map(([name, members]) => ({
    name,
    totals: totals(members, strict),
    time: members.reduce((sum, { latencyMs }) => sum + latencyMs, 0),
    cases: members.map((each) => testCase(each, name, strict)),
  }));
  if (suites.length > 0) {
    const count = (wanted: SuiteResult['status']): number =>
      suites.filter(({ status }) => status === wanted).length;
    const [failures, errors, skipped] = [count('failed'), count('error'), count('not-run')];
    blocks.push({
      name: 'suites as a whole',
      totals: { tests: suites.length, failures, errors, skipped },
      time: 0,
      cases: suites.map(suiteCase),
    });
  }
  const shown = troubles.length > 0 || isRed(blocks) || result.ok ? troubles : [unexplained(result)];
  if (shown.length > 0) {
    blocks.push({
      name: 'the run',
      totals: { tests: shown.length, failures: 0, errors: shown.length, skipped: 0 },
      time: 0,
      cases: shown.map(troubleCase),
    });
  }
  const attributes = { name: 'synapsekit', ...sum(blocks), time: seconds(durationMs), timestamp: startedAt };
  const parts = ['<?xml version="1.0" encoding="UTF-8"?>\n', `<testsuites ${list(attributes)}>\n`];
  for (const block of blocks) {
    const own = { name: block.name, ...block.totals, time: seconds(block.time), timestamp: startedAt };
    parts.push(`  <testsuite ${list(own)}>\n`, ...block.cases, '  </testsuite>\n');
  }
  parts.push('</testsuites>\n');
  return parts.join('');
}

/** How many there are of each kind. */
type Totals = Readonly<Record<'tests' | 'failures' | 'errors' | 'skipped', number>>;

/** A `testsuite`. */
interface Block {
  readonly name: string;
  readonly totals: Totals;
  /** Milliseconds. */
  readonly time: number;
  readonly cases: readonly string[];
}

function isRed(blocks: readonly Block[]): boolean {
  return blocks.some(({ totals: { failures, errors } }) => failures + errors > 0);
}

function sum(blocks: readonly Block[]): Totals {
  const all = { tests: 0, failures: 0, errors: 0, skipped: 0 };
  for (const { totals: own } of blocks) {
    for (const kind of ['tests', 'failures', 'errors', 'skipped'] as const) all[kind] += own[kind];
  }
  return all;
}

/** A run that is no success, although nothing in it failed. */
function unexplained({ byStatus, passed }: RunResult): RunTrouble {
  const notRun = byStatus['not-run'];
  if (notRun > 0) {
    return {
      title: 'cases that did not run',
      message: `${notRun} of the cases did not run: see why at each.`,
    };
  }
  return passed === 0
    ? { title: 'nothing passed', message: 'No case passed: nothing was shown.' }
    : { title: 'no success', message: 'The run did not succeed.' };
}

function troubleCase(trouble: RunTrouble): string {
  const { title, message, file, error } = trouble;
  const attributes = {
    name: file === undefined ? title : `${file}: ${title}`,
    classname: 'the run',
    time: '0.000',
    ...(file !== undefined && { file }),
  };
  const type = error?.name ?? 'error';
  return `    <testcase ${list(attributes)}>\n      <error message="${escapeXml(message)}" type="${escapeXml(type)}">${escapeXml([message, ...troubleLines(trouble)].join('\n'))}</error>\n    </testcase>\n`;
}

function testCase(each: CaseResult, classname: string, strict: boolean): string {
  const { name, file, line, latencyMs, status } = each;
  const attributes = {
    name,
    classname,
    time: seconds(latencyMs),
    ...(file !== undefined && { file }),
    ...(line !== undefined && { line }),
  };
  const body = [propertiesOf(each)];
  if (status === 'failed' || (status === 'unchecked' && strict)) body.push(problem('failure', each));
  else if (status === 'error') body.push(problem('error', each));
  else if (status !== 'passed') {
    const why = each.reason ?? (status === 'todo' ? 'to do' : status);
    body.push(`      <skipped message="${escapeXml(why)}"/>\n`);
  }
  return `    <testcase ${list(attributes)}>\n${body.join('')}    </testcase>\n`;
}

function suiteCase({ name = 'suite', file, status, metrics }: SuiteResult): string {
  const attributes = { name: `${name}, together`, classname: file ?? name, time: '0.000' };
  const bad = metrics.filter(({ pass }) => !pass);
  const text = bad
    .map((metric) => `${metric.name}: ${metric.detail ?? metric.error?.message ?? ''}`)
    .join('\n');
  if (status === 'passed') return `    <testcase ${list(attributes)}/>\n`;
  const tag = status === 'not-run' ? 'skipped' : status === 'error' ? 'error' : 'failure';
  return `    <testcase ${list(attributes)}>\n      <${tag} message="${escapeXml(text)}"/>\n    </testcase>\n`;
}

function propertiesOf({ cost, traffic, calls = [], flaky, tags }: CaseResult): string {
  const tokens = calls.reduce(
    (sum, { usage }) => sum + (usage?.inputTokens ?? 0) + (usage?.outputTokens ?? 0),
    0,
  );
  const known = {
    cost_usd: cost.missingCalls > 0 ? 'unknown' : cost.usd,
    ...(traffic !== undefined && { billed_usd: traffic.billedUsd }),
    ...(calls.length > 0 && { calls: calls.length, tokens }),
    ...(tags.length > 0 && { tags: tags.join(',') }),
    ...(flaky === true && { flaky: true }),
  };
  const lines = Object.entries(known).map(
    ([name, value]) => `        <property name="${name}" value="${escapeXml(String(value))}"/>\n`,
  );
  return `      <properties>\n${lines.join('')}      </properties>\n`;
}

function problem(tag: 'failure' | 'error', each: CaseResult): string {
  const bad = each.metrics.filter(({ pass }) => !pass);
  const told = bad.map(({ name, detail, error }) => `${name}: ${detail ?? error?.message ?? 'failed'}`);
  const message = told[0] ?? each.error?.message ?? each.reason ?? each.status;
  const place = each.line === undefined ? each.definedAt : `${each.file}:${each.line}:${each.column}`;
  const lines = [
    ...told,
    ...(each.reason === undefined ? [] : [each.reason]),
    ...(each.reasonDetail === undefined ? [] : [each.reasonDetail]),
    ...errorLines(each.error),
    ...bad.flatMap(({ error }) => errorLines(error)),
    ...(place === undefined ? [] : [`at ${place}`]),
  ];
  const type = each.error?.name ?? each.status;
  return `      <${tag} message="${escapeXml(message)}" type="${escapeXml(type)}">${escapeXml(lines.join('\n'))}</${tag}>\n`;
}

function totals(cases: readonly CaseResult[], strict: boolean): Totals {
  const count = (wanted: (each: CaseResult) => boolean): number => cases.filter(wanted).length;
  const errors = count(({ status }) => status === 'error');
  const failures = count(({ status }) => status === 'failed' || (status === 'unchecked' && strict));
  const passed = count(({ status }) => status === 'passed');
  return { tests: cases.length, failures, errors, skipped: cases.length - passed - failures - errors };
}

function groupName({ file, suite }: CaseResult): string {
  return [file, suite].filter((part) => part !== undefined).join(' › ') || 'cases';
}

function list(attributes: Readonly<Record<string, string | number>>): string {
  return Object.entries(attributes)
    .map(([name, value]) => `${name}="${escapeXml(String(value))}"`)
    .join(' ');
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(3);
}
