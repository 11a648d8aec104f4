/** Runs the benchmarks: `pnpm bench [name…] [--quick] [--json]`. Exit code 1 when a binding target is missed. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benches } from './benches.ts';
import { forkBench } from './harness/fork-bench.ts';
import { formatLimit, formatValue } from './harness/format.ts';
import { describeMachine } from './harness/machine.ts';
import { printReport } from './harness/print-report.ts';
import type { BenchReport, Report } from './harness/report.ts';
import { toMarkdown } from './harness/to-markdown.ts';
import { toSvg } from './harness/to-svg.ts';
import { bindingFailures, bindingMisses } from './harness/verdicts.ts';

const help = `Usage: pnpm bench [name…] [--quick] [--json]

Benches: ${[...benches.keys()].join(', ')}.

  --quick   short samples, to see that everything runs; figures are rough
  --json    print JSON and nothing else

A whole run that is not quick writes benchmarks/RESULTS.md and benchmarks/results.svg.
Exit codes: 0 all binding targets met, 1 one was missed or a bench failed, 2 it could not begin.
`;

const { names, quick, json } = readArguments();
const chosen = names.length === 0 ? [...benches.keys()] : names;
const print = (line: string): void => {
  if (!json) console.log(line);
};

const machine = describeMachine();
const reports: BenchReport[] = [];
for (const name of chosen) {
  const report = await forkBench(name, quick);
  printReport(report, print);
  reports.push(report);
}
const report: Report = { machine, quick, benches: reports };
if (json) console.log(JSON.stringify(report, null, 2));
if (names.length === 0 && !quick) {
  const folder = join(import.meta.dirname, '..');
  writeFileSync(join(folder, 'RESULTS.md'), toMarkdown(report));
  writeFileSync(join(folder, 'results.svg'), toSvg(report));
}

const misses = bindingMisses(reports);
const regressed = bindingFailures(reports);
const failures = reports.filter(({ failed }) => failed !== undefined);
print('');
for (const { name } of failures) print(`✗ ${name} failed`);
for (const { bench, verdict } of misses) {
  const { text, value, unit } = verdict;
  print(`✗ ${bench}: ${text}: ${formatValue(value, unit)}, allowed ${formatLimit(verdict)}`);
}
if (misses.length > 0) {
  print(
    `${misses.length} targets are missed, ${regressed.length} of them by more than RESULTS.md gives a reason for.`,
  );
}
if (misses.length + failures.length === 0) print('All binding targets met.');
process.exitCode = misses.length + failures.length === 0 ? 0 : 1;

function readArguments(): { names: readonly string[]; quick: boolean; json: boolean } {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) {
      console.log(help);
      process.exit(0);
    }
    const unknown = positionals.filter((name) => !benches.has(name));
    if (unknown.length > 0) throw new Error(`There is no bench ${unknown.join(', ')}.`);
    return { names: positionals, quick: values.quick, json: values.json };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${help}`);
    process.exit(2);
  }
}
