import type { CaseResult, CaseStatus, RunResult, SuiteResult } from './result.ts';

/** The figures of a run. */
export function countResults(
  results: readonly Pick<CaseResult, 'status' | 'flaky'>[],
  suites: readonly Pick<SuiteResult, 'status'>[],
  strict: boolean,
): Pick<RunResult, 'ok' | 'total' | 'passed' | 'failed' | 'byStatus' | 'flaky'> {
  const byStatus: Record<CaseStatus, number> = {
    passed: 0,
    failed: 0,
    error: 0,
    unchecked: 0,
    'not-run': 0,
    skipped: 0,
    todo: 0,
  };
  let flaky = 0;
  for (const result of results) {
    byStatus[result.status]++;
    if (result.flaky === true && result.status === 'passed') flaky++;
  }
  const { passed } = byStatus;
  const failed = byStatus.failed + byStatus.error + (strict ? byStatus.unchecked : 0);
  const held = suites.every(({ status }) => status === 'passed');
  return {
    ok: passed > 0 && failed === 0 && byStatus['not-run'] === 0 && held,
    total: results.length,
    passed,
    failed,
    byStatus,
    flaky,
  };
}
