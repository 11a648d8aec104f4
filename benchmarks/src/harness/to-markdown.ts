import { formatLimit, formatOutcome, formatValue } from './format.ts';
import type { BenchReport, Group, Report } from './report.ts';
import { bindingFailures, bindingMisses, type NamedVerdict, verdictsOf } from './verdicts.ts';

/** The report for people: `RESULTS.md`. */
export function toMarkdown(report: Report): string {
  const { machine, benches } = report;
  const { cpu, cores, node, platform, date, loadPerCore } = machine;
  const all = verdictsOf(benches);
  const binding = all.filter(({ verdict }) => verdict.binding);
  const missed = bindingMisses(benches);
  const failed = bindingFailures(benches);
  const excused = missed.length - failed.length;
  const lines = [
    '# Benchmark results',
    '',
    'Written by `pnpm bench`; what is measured and how is in [README.md](README.md).',
    '',
    `${date}, Node ${node}, ${platform}, ${cores} cores, ${cpu}. Load per core when it began: ${loadPerCore}.`,
    '',
    `**${binding.length - missed.length} of ${binding.length} binding targets met**; ${excused} are missed, for the reasons given below, and within what is attainable; ${failed.length} are missed beyond that. Ratios bind: both sides were timed in turns in one process. Absolute figures inform: they depend on the machine and on what else it does.`,
    '',
    '![Targets and times](results.svg)',
    '',
    '## Targets',
    '',
    '| bench | target | allowed | measured | quartiles | verdict |',
    '| --- | --- | --- | --- | --- | --- |',
    ...all.map(({ bench, verdict }) => {
      const { text, value, low, high, unit } = verdict;
      const cells = [bench, text, formatLimit(verdict), formatValue(value, unit)];
      return row([
        ...cells,
        `${formatValue(low, unit)} to ${formatValue(high, unit)}`,
        formatOutcome(verdict),
      ]);
    }),
    '',
    ...notesOf(all),
    '',
    ...benches.flatMap(section),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

/** Each note once, however many targets of a bench share it. */
function notesOf(verdicts: readonly NamedVerdict[]): string[] {
  const notes = verdicts.flatMap(({ bench, verdict: { note } }) =>
    note === undefined ? [] : [`- \`${bench}\`: ${note}`],
  );
  return [...new Set(notes)];
}

function section({ name, title, groups, skipped, failed }: BenchReport): string[] {
  const heading = [`## ${title} (\`${name}\`)`, ''];
  if (skipped !== undefined) return [...heading, `Skipped: ${skipped}`, ''];
  // The rest of a stack trace names paths of this machine.
  if (failed !== undefined) return [...heading, `Failed: ${failed.split('\n')[0]}`, ''];
  return [...heading, ...groups.flatMap(table)];
}

function table({ title, unit, note, rows }: Group): string[] {
  const least = Math.min(...rows.map(({ summary }) => summary.median));
  const first = rows[0]?.summary.median ?? Number.NaN;
  const compares = least > 0 && rows.length > 1;
  return [
    `### ${title}`,
    '',
    ...(note === undefined ? [] : [note, '']),
    row(['', 'median', 'quartiles', 'min', ...(compares ? [`× ${rows[0]?.name}`] : [])]),
    row(['---', '---', '---', '---', ...(compares ? ['---'] : [])]),
    ...rows.map(({ name, summary: { min, q1, median, q3 } }) =>
      row([
        name,
        formatValue(median, unit),
        `${formatValue(q1, unit)} to ${formatValue(q3, unit)}`,
        formatValue(min, unit),
        ...(compares ? [formatValue(median / first, '×')] : []),
      ]),
    ),
    '',
  ];
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
