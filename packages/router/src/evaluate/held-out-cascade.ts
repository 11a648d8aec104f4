import { type OutcomeTable, tableRows } from '../learned/outcome-table.ts';
import type { OutcomeRow } from '../outcomes/outcome.ts';
import { foreseeing, leastVerifierRows, verifierRows } from '../verify/train-verifier.ts';
import { MeasuredRows } from './measured-rows.ts';
import { type ReportedRouter, unmeasured } from './route-report.ts';

/** Name in a report of the cascade whose verifier has judged every answer without having seen its row. */
const cascadeName = 'cascade (held out)';
const buckets = 8_192;

/** Rows of a table with the answers of the weak model, where there are any. */
export interface AnsweredRows {
  readonly rows: readonly OutcomeRow[];
  readonly table: OutcomeTable;
  readonly measured: MeasuredRows;
}

/** True where some of the rows hold an answer of the table's weak model. */
export function hasAnswers(rows: readonly OutcomeRow[], table: OutcomeTable): boolean {
  const weak = nameOf(table, table.weak);
  return rows.some(({ outcomes }) => outcomes[weak]?.response !== undefined);
}

/**
 * What reading the weak model's answers gives: each is judged by a verifier that was trained on other rows, and escalated
 * the sooner the more the strong model is expected to gain. Of an escalated query both calls are paid for.
 *
 * @param step is awaited between the folds.
 */
export async function heldOutCascade(
  { rows, table, measured }: AnsweredRows,
  {
    draws,
    seed,
    step,
  }: { readonly draws: number; readonly seed: number; readonly step: (name: string) => Promise<void> },
): Promise<ReportedRouter> {
  const [weak, strong] = [nameOf(table, table.weak), nameOf(table, table.strong)];
  // The rows of the table, in its order.
  const scored = rows.filter(({ outcomes }) =>
    table.models.every(({ name }) => Object.hasOwn(outcomes, name)),
  );
  const answers = verifierRows(scored, { weak, strong });
  const fail = (reason: string): ReportedRouter => unmeasured(cascadeName, 'held-out', reason);
  if (answers.length < leastVerifierRows) {
    return fail(
      `a verifier needs ${leastVerifierRows} rows with an answer of ${weak} (response), there are ${answers.length}`,
    );
  }
  const whole = answers.length === table.rows;
  const own = whole
    ? table
    : tableRows(
        table,
        [...scored.keys()].filter((row) => scored[row]?.outcomes[weak]?.response !== undefined),
      );
  if (!((own.models[own.strong]?.meanScore ?? 0) > (own.models[own.weak]?.meanScore ?? 0))) {
    return fail(`on the rows with an answer of ${weak} the strong model is not better`);
  }
  const count = answers.length < 3_000 ? 10 : 5;
  const folds = foreseeing(answers, { buckets, folds: count, seed });
  for (let fold = 0; ; fold++) {
    if (fold % Math.ceil(count / cascadeSteps) === 0)
      await step(`reading answers, part ${Math.min(fold + 1, count)} of ${count}`);
    const part = folds.next();
    if (part.done !== true) continue;
    const on = whole ? measured : new MeasuredRows(own, { draws, seed });
    return on.router(cascadeName, 'held-out', part.value.gain, { cascade: true });
  }
}

/** How often `step` is awaited, about. */
export const cascadeSteps = 3;

function nameOf({ models }: OutcomeTable, index: number): string {
  return models[index]?.name ?? '';
}
