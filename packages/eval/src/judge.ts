import { isAssertionError } from './assertion-error.ts';
import { clip, textLimits } from './clip.ts';
import { reportError } from './error-report.ts';
import type { CaseRun, Metric } from './metric.ts';
import { show } from './output.ts';
import type { MetricResult } from './result.ts';
import { toldText } from './told-text.ts';

/** What a metric says of a run. Its crash is an error and never a verdict. */
export function judge(metric: Metric, run: CaseRun): Promise<MetricResult> {
  return judgeWith(metric.name, run.signal, () => metric.evaluate(run));
}

/** What `evaluate` says, checked. */
export async function judgeWith(
  name: string,
  signal: AbortSignal,
  evaluate: () => unknown,
): Promise<MetricResult> {
  try {
    const verdict: unknown = await evaluate();
    const { pass, detail } = (verdict ?? {}) as { readonly pass?: unknown; readonly detail?: unknown };
    if (typeof pass !== 'boolean') {
      throw new TypeError(
        `The metric "${name}" must return true, false or { pass, detail? }, got ${show(verdict)}.`,
      );
    }
    return {
      name: clip(name, textLimits.label),
      pass,
      ...(detail !== undefined && { detail: toldText(String(detail), textLimits.detail) }),
    };
  } catch (error) {
    if (signal.aborted) throw error;
    const report = reportError(error);
    return isAssertionError(error)
      ? { name: clip(name, textLimits.label), pass: false, detail: clip(report.message, textLimits.detail) }
      : { name: clip(name, textLimits.label), pass: false, error: report };
  }
}
