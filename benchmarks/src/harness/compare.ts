import { compileLoop, type Loop, type LoopMode } from './compile-loop.ts';
import { judge, type Target } from './judge.ts';
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
  /** `cpu`: what this process computed, whatever it waited for. @default "wall" */
  readonly time?: 'wall' | 'cpu' | undefined;
}

interface Entrant extends Contender {
  readonly loop: Loop;
  readonly samples: number[];
  count: number;
  next: number;
}

/**
 * Times contenders beside each other, in nanoseconds per unit of work: A B C, B C A, C A B and so on, in short
 * samples. What the machine does meanwhile hits all of them, so ratios stay true where times do not.
 */
export async function compare(options: CompareOptions, pace: Pace): Promise<Group> {
  const { title, mode, contenders, targets = [], note, time = 'wall' } = options;
  const entrants = contenders.map(
    (contender): Entrant => ({
      ...contender,
      loop: compileLoop(contender.op, mode),
      samples: [],
      count: 1,
      next: 0,
    }),
  );
  for (const entrant of entrants) await warmUp(entrant, pace);
  for (let round = 0; round < pace.rounds; round++) {
    for (const entrant of rotated(entrants, round)) {
      entrant.samples.push(((await run(entrant, time)) * 1e6) / (entrant.count * (entrant.units ?? 1)));
    }
  }
  const samplesOf = new Map(entrants.map(({ name, samples }) => [name, samples]));
  return {
    title,
    unit: 'ns',
    note,
    rows: entrants.map(({ name, samples }) => ({ name, summary: summarize(samples) })),
    verdicts: targets.map((target) => judge(target, samplesOf, 'ns')),
  };
}

/** Finds how many operations fill a sample, and lets V8 compile them. */
async function warmUp(entrant: Entrant, { warmUpMs, sampleMs }: Pace): Promise<void> {
  const endMs = performance.now() + warmUpMs;
  for (;;) {
    const tookMs = await run(entrant, 'wall');
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
async function run(entrant: Entrant, time: 'wall' | 'cpu'): Promise<number> {
  const { loop, count, around } = entrant;
  const start = entrant.next;
  entrant.next += count;
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  const running = around === undefined ? loop(start, count) : around(() => loop(start, count));
  if (running instanceof Promise) await running;
  const wallMs = performance.now() - startMs;
  if (time === 'wall') return wallMs;
  const { user, system } = process.cpuUsage(cpu);
  return (user + system) / 1000;
}
