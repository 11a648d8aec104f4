import { ConfigError, rejectUnknownKeys } from '@synapsekit/core';
import type { OutcomeRow } from '../outcomes/outcome.ts';
import { OutcomesError } from '../outcomes/outcomes-error.ts';
import { checkOutcomeRow } from '../outcomes/parse-outcome.ts';
import { queryText } from '../query.ts';
import type { PoolModel } from './router-model.ts';

/** Options of `outcomeTable`. */
export interface OutcomeTableOptions {
  /** Only these models. @default all that stand in any row */
  readonly models?: readonly string[] | undefined;
  /** Dollars per call of models whose rows do not say. */
  readonly costsUsd?: Readonly<Record<string, number>> | undefined;
  /** Name of the cheap model of the pair. @default the cheapest; without costs the one with the lowest score */
  readonly weak?: string | undefined;
  /** Name of the strong model of the pair. @default the one with the highest score */
  readonly strong?: string | undefined;
}

/** Outcomes as columns: rows that have a score for every model, in their order. */
export interface OutcomeTable {
  readonly rows: number;
  /** Rows that were left out: a model has no score in them. */
  readonly leftOut: number;
  readonly models: readonly PoolModel[];
  /** Texts of the queries. */
  readonly texts: readonly string[];
  /** By model. */
  readonly scores: readonly Float64Array[];
  /** Dollars, by model; `undefined` when no cost is known. */
  readonly costs: readonly Float64Array[] | undefined;
  /** The group of each row, as an index into `groupNames`; -1 for none. */
  readonly groups: Int32Array;
  readonly groupNames: readonly string[];
  /** Indices into `models`. */
  readonly weak: number;
  readonly strong: number;
}

export const outcomeTableKeys: readonly string[] = ['models', 'costsUsd', 'weak', 'strong'];

/**
 * Puts outcomes into columns and finds the pair of models that a router decides between.
 *
 * @throws OutcomesError when there are no rows, or one that is none, no two models, no row that has all of them, costs for some and not for others,
 *   or a strong model that is not better.
 * @throws ConfigError for names that stand in no row.
 */
export function outcomeTable(all: readonly OutcomeRow[], options: OutcomeTableOptions = {}): OutcomeTable {
  rejectUnknownKeys(options, outcomeTableKeys, 'outcomeTable');
  checkRows(all);
  const names = chosenModels(all, options);
  const rows = all.filter(({ outcomes }) => names.every((name) => Object.hasOwn(outcomes, name)));
  if (rows.length === 0) {
    throw new OutcomesError(
      'incomplete',
      `No row has a score for every model (${names.join(', ')}). Choose fewer models, or score them on the same queries.`,
    );
  }
  const scores = names.map((name) => Float64Array.from(rows, ({ outcomes }) => outcomes[name]?.score ?? 0));
  const costs = costColumns(rows, names, options.costsUsd);
  const groupNames = [...new Set(rows.map(({ group }) => group).filter((group) => group !== undefined))];
  const groupIndex = new Map(groupNames.map((name, index) => [name, index]));
  const models = names.map((name, index): PoolModel => {
    const latencies = rows.map(({ outcomes }) => outcomes[name]?.latencyMs).filter((ms) => ms !== undefined);
    const cost = costs?.[index];
    return {
      name,
      meanScore: mean(scores[index] ?? []),
      ...(cost !== undefined && { costUsd: mean(cost) }),
      ...(latencies.length > 0 && { latencyMs: mean(latencies) }),
    };
  });
  const { weak, strong } = choosePair(models, options);
  return {
    rows: rows.length,
    leftOut: all.length - rows.length,
    models,
    texts: rows.map(({ prompt }) => queryText(prompt)),
    scores,
    costs,
    groups: Int32Array.from(rows, ({ group }) => (group === undefined ? -1 : (groupIndex.get(group) ?? -1))),
    groupNames,
    weak,
    strong,
  };
}

/** Rows from a file were looked at when they were read; those from code may hold anything. */
function checkRows(rows: readonly OutcomeRow[]): void {
  if (!Array.isArray(rows)) throw new OutcomesError('malformed', 'Outcomes must be a list of rows.');
  if (rows.length === 0) throw new OutcomesError('empty', 'There is no outcome row.');
  for (const [index, row] of (rows as readonly unknown[]).entries()) {
    try {
      checkOutcomeRow(row);
    } catch (error) {
      if (!(error instanceof OutcomesError)) throw error;
      throw new OutcomesError(error.problem, `rows[${index}]: ${error.message}`);
    }
  }
}

/** The rows of a table with these numbers, in this order. Who is weak and who is strong stays as it was. */
export function tableRows(table: OutcomeTable, rows: ArrayLike<number>): OutcomeTable {
  const pick = (column: Float64Array): Float64Array =>
    Float64Array.from(rows, (row) => column[row] as number);
  const scores = table.scores.map(pick);
  const costs = table.costs?.map(pick);
  return {
    ...table,
    rows: rows.length,
    models: table.models.map((model, index) => ({
      ...model,
      meanScore: mean(scores[index] ?? []),
      ...(costs !== undefined && { costUsd: mean(costs[index] ?? []) }),
    })),
    texts: Array.from(rows, (row) => table.texts[row] as string),
    scores,
    costs,
    groups: Int32Array.from(rows, (row) => table.groups[row] as number),
  };
}

/** The scores of the pair. */
export function pairOf({ scores, weak, strong }: OutcomeTable): {
  readonly weak: Float64Array;
  readonly strong: Float64Array;
} {
  return { weak: scores[weak] as Float64Array, strong: scores[strong] as Float64Array };
}

export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  return values.length === 0 ? Number.NaN : sum / values.length;
}

function chosenModels(
  all: readonly OutcomeRow[],
  { models, weak, strong, costsUsd }: OutcomeTableOptions,
): string[] {
  const there = new Set(all.flatMap(({ outcomes }) => Object.keys(outcomes)));
  for (const name of [...(models ?? []), weak, strong, ...Object.keys(costsUsd ?? {})]) {
    if (name === undefined || there.has(name)) continue;
    throw new ConfigError(`No row names the model "${name}". There are: ${[...there].join(', ')}.`, {
      option: 'models',
    });
  }
  const names = [...new Set(models ?? there)];
  for (const name of [weak, strong]) {
    if (name === undefined || names.includes(name)) continue;
    throw new ConfigError(`"${name}" is not among the models chosen: ${names.join(', ')}.`, {
      option: 'models',
    });
  }
  if (weak !== undefined && weak === strong) {
    throw new ConfigError(`weak and strong are both "${weak}": a router decides between two.`, {
      option: 'weak',
    });
  }
  if (names.length < 2) {
    throw new OutcomesError(
      'one-model',
      `There is only one model (${names.join('')}): nothing to route. Score a second one on the same queries.`,
    );
  }
  return names;
}

function costColumns(
  rows: readonly OutcomeRow[],
  names: readonly string[],
  given: Readonly<Record<string, number>> = {},
): Float64Array[] | undefined {
  const costOf = (row: OutcomeRow, name: string): number | undefined =>
    row.outcomes[name]?.costUsd ?? given[name];
  const known = names.map((name) => rows.filter((row) => costOf(row, name) !== undefined).length);
  if (known.every((count) => count === 0)) return undefined;
  const lacking = known.findIndex((count) => count < rows.length);
  if (lacking !== -1) {
    throw new OutcomesError(
      'incomplete',
      `${names[lacking]} has no cost in ${rows.length - (known[lacking] ?? 0)} of ${rows.length} rows, others have one. ` +
        'Log costUsd for every model, or say what a call costs on average: --cost MODEL=USD,… (in code: costsUsd).',
    );
  }
  return names.map((name) => Float64Array.from(rows, (row) => costOf(row, name) as number));
}

function choosePair(
  models: readonly PoolModel[],
  { weak, strong }: OutcomeTableOptions,
): { weak: number; strong: number } {
  const indexOf = (name: string): number => models.findIndex((model) => model.name === name);
  const order = models.map((_, index) => index);
  const score = (index: number): number => models[index]?.meanScore ?? 0;
  const cost = (index: number): number => models[index]?.costUsd ?? 0;
  const best =
    strong !== undefined
      ? indexOf(strong)
      : bestOf(
          weak === undefined ? order : order.filter((index) => index !== indexOf(weak)),
          (a, b) => score(b) - score(a) || cost(a) - cost(b),
        );
  const others = order.filter((index) => index !== best);
  const cheapest =
    weak !== undefined ? indexOf(weak) : bestOf(others, (a, b) => cost(a) - cost(b) || score(a) - score(b));
  return { weak: cheapest, strong: best };
}

function bestOf(indices: readonly number[], compare: (a: number, b: number) => number): number {
  return indices.toSorted(compare)[0] as number;
}
