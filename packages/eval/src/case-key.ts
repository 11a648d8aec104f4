import type { EvalCase } from './case.ts';
import { positionOf, type SourcePosition } from './source-position.ts';

/** What tells a case apart from all others: its file, suite and name, as a text. */
export function caseKey(each: {
  readonly file?: string | undefined;
  readonly suite?: string | undefined;
  readonly name?: string | undefined;
  readonly case?: Pick<EvalCase, 'name'> | undefined;
}): string {
  return JSON.stringify([each.file ?? '', each.suite ?? '', each.case?.name ?? each.name ?? '']);
}

/** Where a case is defined. */
export function casePosition({ stack }: Pick<EvalCase, 'stack'>): SourcePosition | undefined {
  return positionOf(stack);
}
