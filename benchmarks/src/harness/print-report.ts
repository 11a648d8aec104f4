import { formatLimit, formatValue } from './format.ts';
import type { BenchReport, Group } from './report.ts';

/** One bench, for a terminal. */
export function printReport(
  { name, title, groups, skipped, failed }: BenchReport,
  print: (line: string) => void,
): void {
  print(`\n${title} (${name})`);
  if (skipped !== undefined) print(`  skipped: ${skipped}`);
  if (failed !== undefined) print(`  FAILED: ${failed}`);
  for (const group of groups) printGroup(group, print);
}

function printGroup({ title, unit, rows, verdicts }: Group, print: (line: string) => void): void {
  print(`\n  ${title}`);
  const width = Math.max(...rows.map(({ name }) => name.length));
  for (const { name, summary } of rows) {
    const { min, q1, median, q3 } = summary;
    const figures = [median, q1, q3, min].map((value) => formatValue(value, unit).padStart(9));
    print(
      `    ${name.padEnd(width)}  ${figures[0]}  quartiles ${figures[1]} ${figures[2]}  min ${figures[3]}`,
    );
  }
  for (const verdict of verdicts) {
    const { text, value, low, high, unit: own, binding, met, revised } = verdict;
    const spread = `${formatValue(low, own)} to ${formatValue(high, own)}`;
    const mark = met ? '✓' : binding ? '✗' : '·';
    const attainable =
      binding && !met && revised !== undefined
        ? `, attainable: ${formatLimit({ ...verdict, limit: revised })}`
        : '';
    print(
      `    ${mark} ${text}: ${formatValue(value, own)} (${spread}), ${formatLimit(verdict)}${attainable}${binding ? '' : ', informative'}`,
    );
  }
}
