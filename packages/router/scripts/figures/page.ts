import type { Estimate } from '../../src/measure/bootstrap.ts';

/** Lines of Markdown, as they are measured. */
export class Page {
  readonly #lines: string[] = [];
  readonly #print: (line: string) => void;

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  say(line = ''): void {
    this.#lines.push(line);
    this.#print(line);
  }

  title(text: string): void {
    if (this.#lines.length > 0) this.say();
    this.say(`### ${text}`);
    this.say();
  }

  head(...cells: readonly string[]): void {
    this.row(...cells);
    this.row(...cells.map(() => '---'));
  }

  row(...cells: readonly string[]): void {
    this.say(`| ${cells.join(' | ')} |`);
  }

  text(): string {
    return this.#lines.join('\n');
  }
}

/** `0.649` */
export const f3 = (value: number): string => value.toFixed(3);

/** `0.649 [0.63, 0.67]` */
export const withInterval = ({ value, low, high }: Estimate): string =>
  low === high ? f3(value) : `${f3(value)} [${f3(low)}, ${f3(high)}]`;

/** `42.3 %` */
export const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

/** `36.7`, or a dash. */
export const one = (estimate: Estimate | undefined): string => estimate?.value.toFixed(1) ?? '-';

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Standard deviation over samples. */
const deviation = (values: readonly number[]): number =>
  Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)));

/** `0.649 ± 0.008 (worst 0.633)` */
export const overSamples = (values: readonly number[]): string =>
  `${f3(mean(values))} ± ${f3(deviation(values))} (worst ${f3(Math.min(...values))})`;

/** Whether a figure of the first study lies in the interval of ours. */
export function whether(study: number, { low, high }: Pick<Estimate, 'low' | 'high'>): string {
  if (study >= low && study <= high) return 'yes';
  return study > high ? 'no: ours is below' : 'no: ours is above';
}

/** The interval of figures over samples: two standard deviations round their mean. */
export function spread(values: readonly number[]): Pick<Estimate, 'low' | 'high'> {
  const [middle, sd] = [mean(values), deviation(values)];
  return { low: middle - 2 * sd, high: middle + 2 * sd };
}
