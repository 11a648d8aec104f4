import { UsageError } from './command.ts';

/** What a run can be reported as. */
export type ReporterName = 'default' | 'minimal' | 'json' | 'junit' | 'html';

/** A report that was asked for. */
export interface ReporterSpec {
  readonly name: ReporterName;
  /** The file that it goes to; `undefined` for standard output. */
  readonly file?: string | undefined;
}

const names: readonly ReporterName[] = ['default', 'minimal', 'json', 'junit', 'html'];

/**
 * The reports that `--reporter NAME[=FILE]` and `--json` ask for. Unless one of them goes to standard output, the
 * default report does.
 *
 * @throws UsageError for an unknown name, two on standard output, or two in one file.
 */
export function readReporters(values: readonly string[], json: boolean): readonly ReporterSpec[] {
  const specs = values.map(readSpec);
  if (json && !specs.some(({ name, file }) => name === 'json' && file === undefined))
    specs.push({ name: 'json' });
  const onScreen = specs.filter(({ file }) => file === undefined);
  if (onScreen.length > 1) {
    throw new UsageError(
      `Only one report fits on standard output, got ${onScreen.map(({ name }) => name).join(' and ')}. The others go to files: --reporter ${onScreen.at(-1)?.name}=FILE.`,
    );
  }
  const files = specs.map(({ file }) => file).filter((file) => file !== undefined);
  const twice = files.find((file, index) => files.indexOf(file) !== index);
  if (twice !== undefined) throw new UsageError(`Two reports go to "${twice}".`);
  return onScreen.length === 0 ? [{ name: 'default' }, ...specs] : specs;
}

function readSpec(value: string): ReporterSpec {
  const [name = '', ...rest] = value.split('=');
  const known = names.find((each) => each === name);
  if (known === undefined) {
    throw new UsageError(`There is no reporter "${name}". There are: ${names.join(', ')}.`);
  }
  const file = rest.join('=');
  if (rest.length > 0 && file.trim() === '') throw new UsageError(`--reporter ${name}= needs a file.`);
  if (rest.length > 0) return { name: known, file };
  // Nobody reads HTML on a terminal.
  return known === 'html' ? { name: known, file: 'synapsekit-report.html' } : { name: known };
}
