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

/**
 * Where a case is defined.
 *
 * @param file the eval file that it comes from, as reports name it: `undefined` for a case that another file defines.
 */
export function casePosition(
  { stack }: Pick<EvalCase, 'stack'>,
  file?: string | undefined,
): SourcePosition | undefined {
  const position = positionOf(stack);
  if (position === undefined || file === undefined) return position;
  const path = position.path.replaceAll('\\', '/');
  return path === file || path.endsWith(`/${file.replace(/^(?:\.\.?\/)+/, '')}`) ? position : undefined;
}
