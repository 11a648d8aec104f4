export type { Outcome, OutcomeRow } from './outcome.ts';
export { OutcomeFile } from './outcome-file.ts';
export { OutcomesError, type OutcomesProblem } from './outcomes-error.ts';
export { checkOutcomeRow, type ParseOptions, parseOutcomeRow } from './parse-outcome.ts';
export { type ReadOutcomesOptions, readOutcomes } from './read-outcomes.ts';
