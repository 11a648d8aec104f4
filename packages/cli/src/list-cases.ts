import type { PlannedCase } from '@synapsekit/eval';

/** The cases by file and suite, with what they show. */
export function formatList(plan: readonly PlannedCase[]): string {
  const width = plan.reduce((most, { case: { name } }) => Math.max(most, name.length), 0);
  const lines: string[] = [];
  let heading: string | undefined;
  for (const { case: each, file, suite } of plan) {
    const ours = [file, suite].filter((part) => part !== undefined).join(' › ');
    if (ours !== heading) lines.push(...(heading === undefined ? [] : ['']), ours);
    heading = ours;
    lines.push(`  ${each.name.padEnd(width)}  ${each.description ?? ''}`.trimEnd());
  }
  return `${lines.join('\n')}\n\n${plan.length} eval case(s)\n`;
}

/** The same as plain data. */
export function listAsJson(plan: readonly PlannedCase[]): object {
  return {
    version: 1,
    cases: plan.map(({ case: { name, description, tags }, metrics, suite, file }) => ({
      name,
      description,
      tags,
      suite,
      file,
      metrics: metrics.map((metric) => metric.name),
    })),
  };
}
