import { casePosition, type PlannedCase } from '@synapsekit/eval';

/** The cases by file and suite, with what they show. */
export function formatList(plan: readonly PlannedCase[]): string {
  const width = plan.reduce((most, { case: { name } }) => Math.max(most, name.length), 0);
  const lines: string[] = [];
  let heading: string | undefined;
  for (const { case: each, file, suite } of plan) {
    const ours = [file, suite].filter((part) => part !== undefined).join(' › ');
    if (ours !== heading) lines.push(...(heading === undefined ? [] : ['']), ours);
    heading = ours;
    const notes = [
      each.description,
      each.mode === 'run' ? undefined : `(${each.mode === 'todo' ? 'to do' : each.mode})`,
      each.tags.length > 0 ? `[${each.tags.join(', ')}]` : undefined,
    ];
    lines.push(
      `  ${each.name.padEnd(width)}  ${notes.filter((note) => note !== undefined).join(' ')}`.trimEnd(),
    );
  }
  return `${lines.join('\n')}\n\n${plan.length} eval case(s)\n`;
}

/** The same as plain data. */
export function listAsJson(plan: readonly PlannedCase[]): object {
  return {
    version: 1,
    cases: plan.map(({ case: each, metrics, suite, file }) => {
      const { name, description, tags, mode } = each;
      const { line, column } = casePosition(each, file) ?? {};
      return {
        name,
        description,
        tags,
        mode,
        suite,
        file,
        line,
        column,
        metrics: metrics.map((metric) => metric.name),
      };
    }),
  };
}
