import type { PlannedCase } from '@synapsekit/eval';

/** The cases by file, with what they show. */
export function formatList(plan: readonly PlannedCase[]): string {
  const width = Math.max(0, ...plan.map(({ case: { name } }) => name.length));
  const lines: string[] = [];
  let heading: string | undefined;
  for (const { case: each, file } of plan) {
    if (file !== heading) lines.push(...(heading === undefined ? [] : ['']), file ?? '');
    heading = file;
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
