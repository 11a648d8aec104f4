import { judge, type Target } from './judge.ts';
import type { Group, Unit } from './report.ts';
import { rotated } from './rotate.ts';
import { summarize } from './summarize.ts';

/** One thing of which a figure is taken: bytes kept, time of a fresh process, round trips. */
interface Gauged {
  readonly name: string;
  readonly read: () => number | Promise<number>;
}

/** What `gauge` is told. */
export interface GaugeOptions {
  readonly title: string;
  readonly unit: Unit;
  readonly gauged: readonly Gauged[];
  readonly rounds: number;
  readonly targets?: readonly Target[] | undefined;
  readonly note?: string | undefined;
}

/** Takes figures that are no loop, interleaved like those that are. */
export async function gauge(options: GaugeOptions): Promise<Group> {
  const { title, unit, gauged, rounds, targets = [], note } = options;
  const samplesOf = new Map<string, number[]>(gauged.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const { name, read } of rotated(gauged, round)) samplesOf.get(name)?.push(await read());
  }
  return {
    title,
    unit,
    note,
    rows: [...samplesOf].map(([name, samples]) => ({ name, summary: summarize(samples) })),
    verdicts: targets.map((target) => judge(target, samplesOf, unit)),
  };
}
