import type { ErrorReport } from '../error-report.ts';
import { isBad } from '../format-case.ts';
import type { CaseResult, RunResult, SuiteResult } from '../result.ts';
import { escapeXml } from './escape.ts';

/**
 * A run as JUnit XML, as CI systems read it. Each file (with its suite) is a `testsuite`; costs, calls and tokens are
 * properties of the cases. Cases that did not run are skipped there, with the reason.
 */
export function formatJUnit(result: RunResult): string {
  const groups = new Map<string, CaseResult[]>();
  for (const each of result.cases) {
    const name = groupName(each);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [each]);
    else group.push(each);
  }
  const parts = ['<?xml version="1.0" encoding="UTF-8"?>\n'];
  const attributes = {
    name: 'synapsekit',
    ...totals(result.cases),
    time: seconds(result.durationMs),
    timestamp: result.startedAt,
  };
  parts.push(`<testsuites ${list(attributes)}>\n`);
  for (const [name, cases] of groups) parts.push(testSuite(name, cases, result));
  const together = result.suites.map(suiteCase);
  if (together.length > 0) {
    const failures = result.suites.filter(({ status }) => status === 'failed' || status === 'error').length;
    const attributes = { name: 'suites as a whole', tests: together.length, failures };
    parts.push(`  <testsuite ${list(attributes)}>\n${together.join('')}  </testsuite>\n`);
  }
  parts.push('</testsuites>\n');
  return parts.join('');
}

function testSuite(name: string, cases: readonly CaseResult[], { startedAt }: RunResult): string {
  const time = seconds(cases.reduce((sum, { latencyMs }) => sum + latencyMs, 0));
  const attributes = { name, ...totals(cases), time, timestamp: startedAt };
  return `  <testsuite ${list(attributes)}>\n${cases.map((each) => testCase(each, name)).join('')}  </testsuite>\n`;
}

function testCase(each: CaseResult, classname: string): string {
  const { name, file, line, latencyMs, status } = each;
  const attributes = {
    name,
    classname,
    time: seconds(latencyMs),
    ...(file !== undefined && { file }),
    ...(line !== undefined && { line }),
  };
  const body = [propertiesOf(each)];
  if (status === 'failed' || status === 'unchecked') body.push(problem('failure', each));
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
  const lines = [
    ...told,
    ...(each.reason === undefined ? [] : [each.reason]),
    ...(each.reasonDetail === undefined ? [] : [each.reasonDetail]),
    ...errorLines(each.error),
    ...bad.flatMap(({ error }) => errorLines(error)),
    ...(each.file === undefined ? [] : [`at ${each.file}:${each.line}:${each.column}`]),
  ];
  const type = each.error?.name ?? each.status;
  return `      <${tag} message="${escapeXml(message)}" type="${escapeXml(type)}">${escapeXml(lines.join('\n'))}</${tag}>\n`;
}

function errorLines(error: ErrorReport | undefined): string[] {
  if (error === undefined) return [];
  return [
    `${error.name}: ${error.message}`,
    ...error.stack.map((frame) => `  ${frame}`),
    ...errorLines(error.cause),
  ];
}

function totals(cases: readonly CaseResult[]): Record<string, number> {
  const errors = cases.filter(({ status }) => status === 'error').length;
  const skipped = cases.filter((each) => each.status !== 'passed' && !isBad(each)).length;
  return { tests: cases.length, failures: cases.filter(isBad).length - errors, errors, skipped };
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
