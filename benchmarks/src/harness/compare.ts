import { compileLoop, type Loop, type LoopMode } from './compile-loop.ts';
import { judge, type Target, type Time } from './judge.ts';
import type { Pace } from './pace.ts';
import type { Group } from './report.ts';
import { rotated } from './rotate.ts';
import { summarize } from './summarize.ts';

/** One thing that is timed beside others. */
export interface Contender {
  readonly name: string;
  /** One operation. `index` never repeats, so that ids made of it are fresh. */
  readonly op: (index: number) => unknown;
  /** How many units of work one operation is: the chunks of a stream, the calls of a burst. @default 1 */
  readonly units?: number | undefined;
  /** Runs the loop where it belongs, such as in the scopes of a tracker; costs once per sample. */
  readonly around?: (<T>(loop: () => T) => T) | undefined;
}

/** What `compare` is told. */
export interface CompareOptions {
  readonly title: string;
  readonly mode: LoopMode;
  readonly contenders: readonly Contender[];
  readonly targets?: readonly Target[] | undefined;
  readonly note?: string | undefined;
  /**
   * `cpu`: what all threads of this process computed, garbage collection included, and not what others computed
   * meanwhile on the same cores. `wall`: where waiting counts. @default "cpu"
   */
  readonly time?: Time | undefined;
}

interface Entrant extends Contender {
  readonly loop: Loop;
  readonly samples: Record<Time, number[]>;
  count: number;
  next: number;
}

/**
 * Times contenders beside each other, in nanoseconds per unit of work: A B C, B C A, C A B and so on, in short
 * samples. What the machine does meanwhile hits all of them, so ratios stay true where times do not.
 */
export async function compare(options: CompareOptions, pace: Pace): Promise<Group> {
  const { title, mode, contenders, targets = [], time = 'cpu' } = options;
  const entrants = contenders.map(
    (contender): Entrant => ({
      ...contender,
      loop: compileLoop(contender.op, mode),
      samples: { cpu: [], wall: [] },
      count: 1,
      next: 0,
    }),
  );
  for (const entrant of entrants) await warmUp(entrant, time, pace);
  for (let round = 0; round < pace.rounds; round++) {
    const there = rotated(entrants, round);
    const back = pace.mirrored === true ? there.toReversed() : [];
    for (const entrant of [...there, ...back]) {
      const took = await run(entrant);
      const units = entrant.count * (entrant.units ?? 1);
      note(entrant.samples.cpu, round, (took.cpu * 1e6) / units);
      note(entrant.samples.wall, round, (took.wall * 1e6) / units);
    }
  }
  const samplesIn = (which: Time) => new Map(entrants.map(({ name, samples }) => [name, samples[which]]));
  return {
    title,
    unit: 'ns',
    note: options.note,
    rows: entrants.map(({ name, samples }) => ({ name, summary: summarize(samples[time]) })),
    verdicts: targets.map((target) => judge(target, samplesIn(target.time ?? time), 'ns')),
  };
}

/** Of two samples in one round, of as many operations each, the mean. */
function note(samples: number[], round: number, sample: number): void {
  const first = samples[round];
  samples[round] = first === undefined ? sample : (first + sample) / 2;
}

/** Finds how many operations fill a sample, and lets V8 compile them. */
async function warmUp(entrant: Entrant, time: Time, { warmUpMs, sampleMs }: Pace): Promise<void> {
  const endMs = performance.now() + warmUpMs;
  for (;;) {
    const tookMs = (await run(entrant))[time];
    if (performance.now() >= endMs && tookMs >= sampleMs / 2) {
      entrant.count = Math.max(1, Math.round((entrant.count * sampleMs) / tookMs));
      return;
    }
    if (tookMs < sampleMs / 2) entrant.count *= 2;
    // One operation may be longer than a sample, and a first one slower than the next.
    else if (tookMs > 2 * sampleMs) entrant.count = Math.max(1, Math.floor(entrant.count / 2));
    if (entrant.count === 1 && performance.now() >= endMs) return;
  }
}

/** One sample, in milliseconds. */
async function run(entrant: Entrant): Promise<Record<Time, number>> {
  const { loop, count, around } = entrant;
  const start = entrant.next;
  entrant.next += count;
  const before = process.cpuUsage();
  const startMs = performance.now();
  const running = around === undefined ? loop(start, count) : around(() => loop(start, count));
  if (running instanceof Promise) await running;
  const wall = performance.now() - startMs;
  const { user, system } = process.cpuUsage(before);
  return { cpu: (user + system) / 1000, wall };
}
