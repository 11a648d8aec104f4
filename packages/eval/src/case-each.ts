import { ConfigError } from '@synapsekit/core';
import type { EvalCase, EvalCaseOptions, EvalContext } from './case.ts';
import { makeCase } from './case.ts';
import { show } from './output.ts';
import { captureStack } from './source-position.ts';

/** Rows, at hand or still to come. */
export type Dataset<Row> = Iterable<Row> | AsyncIterable<Row>;

/** The name of a row's case: a function, or a text in which `$field` (`$field.inner`) and `$index` stand for values. */
export type RowName<Row, Name extends string> = string | ((row: Row, index: number) => Name);

/** What a row's case may be given: the same for all, or made of the row. */
export type RowOptions<Row, Value> =
  | EvalCaseOptions<Value>
  | ((row: Row, index: number) => EvalCaseOptions<Value>);

/** The code of the cases of a dataset. */
export type RowFunction<Row, Value> = (row: Row, context: EvalContext) => Value | PromiseLike<Value>;

/** Names the cases of a dataset and says what each of them does. */
export interface RowCases<Row> {
  <const Name extends string, Value>(
    name: RowName<Row, Name>,
    fn: RowFunction<Row, Value>,
  ): EvalCase<Name, Value>[];
  <const Name extends string, Value>(
    name: RowName<Row, Name>,
    options: RowOptions<Row, NoInfer<Value>>,
    fn: RowFunction<Row, Value>,
  ): EvalCase<Name, Value>[];
}

/** The same for rows that are still to come: await it in the file. */
export interface AsyncRowCases<Row> {
  <const Name extends string, Value>(
    name: RowName<Row, Name>,
    fn: RowFunction<Row, Value>,
  ): Promise<EvalCase<Name, Value>[]>;
  <const Name extends string, Value>(
    name: RowName<Row, Name>,
    options: RowOptions<Row, NoInfer<Value>>,
    fn: RowFunction<Row, Value>,
  ): Promise<EvalCase<Name, Value>[]>;
}

/** Cases of one kind, one for each row. */
export interface EachBuilder {
  <const Row>(rows: Iterable<Row>): RowCases<Row>;
  <Row>(rows: AsyncIterable<Row>): AsyncRowCases<Row>;
}

/** `evalCase.each` */
export const caseEach: EachBuilder = function each<Row>(rows: Dataset<Row>) {
  const asynchronous = isObject(rows) && Symbol.asyncIterator in rows;
  if (!asynchronous && !(isObject(rows) && Symbol.iterator in rows)) {
    throw new ConfigError(`evalCase.each needs rows: a list or anything iterable, got ${show(rows)}.`, {
      option: 'rows',
    });
  }
  return function build<Name extends string, Value>(
    name: RowName<Row, Name>,
    ...rest: [RowFunction<Row, Value>] | [RowOptions<Row, Value>, RowFunction<Row, Value>]
  ) {
    const [options, fn] = rest.length === 1 ? [{}, rest[0]] : rest;
    const rowCases = new RowCaseList(name, options, fn, captureStack(build));
    if (!asynchronous) {
      for (const row of rows as Iterable<Row>) rowCases.add(row);
      return rowCases.done();
    }
    return (async () => {
      for await (const row of rows) rowCases.add(row);
      return rowCases.done();
    })();
  };
} as EachBuilder;

class RowCaseList<Row, Name extends string, Value> {
  readonly #name: RowName<Row, Name>;
  readonly #options: RowOptions<Row, Value>;
  readonly #fn: RowFunction<Row, Value>;
  readonly #stack: string;
  readonly #made: EvalCase<Name, Value>[] = [];
  readonly #rowOf: Map<string, number> = new Map();

  constructor(
    name: RowName<Row, Name>,
    options: RowOptions<Row, Value>,
    fn: RowFunction<Row, Value>,
    stack: string,
  ) {
    if (typeof fn !== 'function') throw new ConfigError('evalCase.each needs a function.', { option: 'fn' });
    this.#name = name;
    this.#options = options;
    this.#fn = fn;
    this.#stack = stack;
  }

  add(row: Row): void {
    const index = this.#made.length;
    const name = (
      typeof this.#name === 'function' ? this.#name(row, index) : fillIn(this.#name, row, index)
    ) as Name;
    const first = this.#rowOf.get(name);
    if (first !== undefined) {
      throw new ConfigError(
        `Rows ${first} and ${index} of the dataset both make a case called "${name}". Names tell cases apart: put something of the row, or $index, into it.`,
        { option: 'name' },
      );
    }
    this.#rowOf.set(name, index);
    const fn = this.#fn;
    this.#made.push(
      makeCase({
        mode: 'run',
        name,
        options: typeof this.#options === 'function' ? this.#options(row, index) : this.#options,
        fn: (context) => fn(row, context),
        stack: this.#stack,
      }),
    );
  }

  /** @throws ConfigError for a dataset without rows: it would look like one that passed. */
  done(): EvalCase<Name, Value>[] {
    if (this.#made.length > 0) return this.#made;
    throw new ConfigError('The dataset has no rows, so evalCase.each makes no case.', { option: 'rows' });
  }
}

/** `"capital of $country"` with the values of the row. */
function fillIn(name: string, row: unknown, index: number): string {
  return name.replaceAll(/\$([A-Za-z_]\w*(?:\.\w+)*)/g, (_, path: string) => {
    if (path === 'index') return String(index);
    if (path === 'row' && !isObject(row)) return oneLine(row);
    const value = path
      .split('.')
      .reduce<unknown>((inner, key) => (isObject(inner) ? Reflect.get(inner, key) : undefined), row);
    if (value === undefined) {
      throw new ConfigError(
        `Row ${index} of the dataset has no "${path}", which the name "${name}" asks for.`,
        {
          option: 'name',
        },
      );
    }
    return oneLine(value);
  });
}

function oneLine(value: unknown): string {
  const text = typeof value === 'string' ? value : show(value);
  return text.slice(0, 100).replaceAll(/\p{Cc}+/gu, ' ');
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
